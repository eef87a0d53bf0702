// Two tones while something waits to be seen. It can be silenced, until something new comes, and switched off.

import { byId, setText } from "./dom.ts";

const OFF_KEY = "aegis-sound-off";
const EVERY_MS = { urgent: 1500, other: 4000 };
const TONES_HZ = { urgent: [880, 660], other: [520, 520] };
const TONE_S = 0.16;
const GAP_S = 0.06;
const LOUDNESS = 0.2;

/** What the page's sound is doing; `blocked`: the browser lets nothing sound before a person has clicked. */
export type SoundState = "quiet" | "sounding" | "silenced" | "off" | "blocked";

/** Which state follows from what waits, what was silenced, and what the browser allows. */
export function soundState(waiting: Iterable<string>, silenced: ReadonlySet<string>, isOff: boolean, isBlocked: boolean): SoundState {
  const all = [...waiting];
  if (isOff) return "off";
  if (!all.length) return "quiet";
  if (all.every((name) => silenced.has(name))) return "silenced";
  return isBlocked ? "blocked" : "sounding";
}

const WORDS: Record<SoundState, string> = {
  quiet: "Sound on", sounding: "Sound on", silenced: "Sound on", off: "Sound off", blocked: "Sound waits for a click",
};

export class Sound {
  #context: AudioContext | null = null;
  #waiting = new Map<string, boolean>();
  #silenced = new Set<string>();
  #soundedAt = -Infinity;

  constructor() {
    for (const kind of ["pointerdown", "keydown"]) document.addEventListener(kind, () => this.#unlock());
    byId("sound").addEventListener("click", () => {
      if (this.#isOff) localStorage.removeItem(OFF_KEY);
      else localStorage.setItem(OFF_KEY, "1");
      this.#show();
    });
    byId("silence").addEventListener("click", () => this.silence());
  }

  get #isOff(): boolean {
    return localStorage.getItem(OFF_KEY) !== null;
  }

  /** Let what is on be silent; what comes new is heard. */
  silence(): void {
    this.#silenced = new Set(this.#waiting.keys());
    this.#show();
  }

  /** Sound for what waits: a name each, and whether it is most urgent. Called several times a second. */
  update(waiting: Map<string, boolean>, now: number): void {
    this.#waiting = waiting;
    for (const name of this.#silenced) if (!waiting.has(name)) this.#silenced.delete(name);
    const state = this.#show();
    if (state !== "sounding") return;
    const heard = [...waiting].filter(([name]) => !this.#silenced.has(name));
    const kind = heard.some(([, isUrgent]) => isUrgent) ? "urgent" : "other";
    if (now - this.#soundedAt < EVERY_MS[kind]) return;
    this.#soundedAt = now;
    this.#play(TONES_HZ[kind]);
  }

  #show(): SoundState {
    const state = soundState(this.#waiting.keys(), this.#silenced, this.#isOff, this.#context?.state !== "running");
    document.body.dataset.sound = state;
    setText(byId("sound"), WORDS[state]);
    byId("sound").setAttribute("aria-pressed", String(state !== "off"));
    byId("silence").hidden = state !== "sounding" && state !== "blocked";
    return state;
  }

  #unlock(): void {
    this.#context ??= new AudioContext();
    if (this.#context.state === "suspended") void this.#context.resume();
  }

  #play(tones: readonly number[]): void {
    const context = this.#context as AudioContext;
    tones.forEach((hertz, i) => {
      const begin = context.currentTime + i * (TONE_S + GAP_S);
      const [oscillator, gain] = [context.createOscillator(), context.createGain()];
      oscillator.frequency.value = hertz;
      gain.gain.setValueAtTime(0, begin); // without a ramp it clicks
      gain.gain.linearRampToValueAtTime(LOUDNESS, begin + 0.01);
      gain.gain.setValueAtTime(LOUDNESS, begin + TONE_S - 0.02);
      gain.gain.linearRampToValueAtTime(0, begin + TONE_S);
      oscillator.connect(gain).connect(context.destination);
      oscillator.start(begin);
      oscillator.stop(begin + TONE_S);
    });
  }
}
