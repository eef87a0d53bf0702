// Foxglove's own client: lists the channels, decodes ROS 2 messages, reads parameters, calls a service, sees the time.
// node viewer.mjs URL SUBPROTOCOL: prints what it found as one JSON object, as soon as all of it has come.
import foxglove from "@foxglove/ws-protocol";
import rosmsg from "@foxglove/rosmsg";
import serialization from "@foxglove/rosmsg2-serialization";
import { WebSocket } from "ws";

const [url, subprotocol] = process.argv.slice(2);
const DEADLINE_MS = 20_000;
const found = { channels: {}, decoded: {}, capabilities: [], parameters: {}, answer: undefined, time: undefined };
const readers = new Map();
const wanted = ["/tracks", "/threats", "/alarms"];
const client = new foxglove.FoxgloveClient({ ws: new WebSocket(url, [subprotocol]) });

let printed = false;

function done() {
  if (printed) return;
  const all = wanted.every((topic) => topic in found.decoded) && found.answer !== undefined && found.time !== undefined;
  if (!all || Object.keys(found.parameters).length === 0) return;
  printed = true;
  const text = JSON.stringify(found, (_, value) => (typeof value === "bigint" ? value.toString() : ArrayBuffer.isView(value) ? Array.from(value) : value));
  process.stdout.write(text, () => process.exit(0));
}

setTimeout(() => {
  console.error("not all of it came: " + JSON.stringify(Object.keys(found.decoded)) + " " + JSON.stringify(found.channels));
  process.exit(1);
}, DEADLINE_MS);

client.on("error", (error) => {
  console.error(String(error));
  process.exit(1);
});
client.on("serverInfo", (info) => {
  found.capabilities = info.capabilities;
  client.getParameters([], "all");
});
client.on("parameterValues", ({ parameters }) => {
  for (const { name, value } of parameters) found.parameters[name] = value;
  done();
});
client.on("time", ({ timestamp }) => {
  found.time = timestamp;
  done();
});
client.on("advertise", (channels) => {
  for (const channel of channels) {
    found.channels[channel.topic] = `${channel.encoding} ${channel.schemaEncoding} ${channel.schemaName}`;
    if (channel.encoding === "cdr") {
      const definitions = rosmsg.parse(channel.schema, { ros2: true });
      readers.set(client.subscribe(channel.id), [channel.topic, new serialization.MessageReader(definitions)]);
    }
  }
});
client.on("message", ({ subscriptionId, data }) => {
  const [topic, reader] = readers.get(subscriptionId);
  found.decoded[topic] = reader.readMessage(data);
  done();
});
client.on("advertiseServices", (services) => {
  const request = new TextEncoder().encode(JSON.stringify({ track_id: 7 }));
  client.sendServiceCallRequest({ serviceId: services[0].id, callId: 5, encoding: "json", data: new DataView(request.buffer) });
});
client.on("serviceCallResponse", ({ data }) => {
  found.answer = JSON.parse(new TextDecoder().decode(data));
  done();
});
