// Put into the page by `aegis bench page` before its own scripts: times what they do.
{
  let scriptMs = 0; // since the last drawing
  let depth = 0;
  const timed = (work) => function timedCallback(...args) {
    const begin = performance.now();
    depth += 1;
    try {
      return work.apply(this, args);
    } finally {
      depth -= 1;
      if (depth === 0) scriptMs += performance.now() - begin;
    }
  };
  const fresh = () => ({ at: performance.now(), scripts: [], long: [], messages: 0 });
  let seen = fresh();
  for (const name of ["setTimeout", "setInterval"]) {
    const original = window[name];
    window[name] = (work, ...rest) => original(typeof work === "function" ? timed(work) : work, ...rest);
  }
  const nextFrame = window.requestAnimationFrame.bind(window);
  window.requestAnimationFrame = (work) => nextFrame((at) => {
    timed(work)(at);
    seen.scripts.push(scriptMs);
    scriptMs = 0;
  });
  const { set } = Object.getOwnPropertyDescriptor(WebSocket.prototype, "onmessage");
  Object.defineProperty(WebSocket.prototype, "onmessage", {
    set(work) {
      set.call(this, timed(function take(event) {
        const head = typeof event.data === "string" ? event.data.slice(0, 30) : "";
        if (typeof event.data !== "string" || head.startsWith('{"type":"radar_frame"')) seen.messages += 1;
        return work.call(this, event);
      }));
    },
  });
  new PerformanceObserver((list) => {
    for (const task of list.getEntries()) seen.long.push(task.duration);
  }).observe({ type: "longtask" });
  globalThis.probe = {
    clear: () => { seen = fresh(); },
    seen: () => ({
      seconds: (performance.now() - seen.at) / 1000,
      frames: seen.scripts.length,
      messages: seen.messages,
      script_ms: seen.scripts,
      long_ms: seen.long,
      scope: document.getElementById("scope").dataset.drawn ?? "2d",
    }),
  };
}
