import { connected } from "./reconnect.js";

/* Gradio's server ends the stream of answers when it owes none, and its front end opens another with the next question.
   But a question that is asked before the front end has read of the end finds the old stream open: no other is opened, and
   the answer never comes. And where the connection goes in the middle of an answer, the front end loads the page again. So
   here it is given one stream for good, which goes on with another of the server's for the next question, and what was being
   answered when a connection went is asked again. Questions arrive in the order in which they are asked.
   pendingEvents: the events that are asked and not answered in full. Messages: gradio/server_messages.py. */
const ask = window.fetch.bind(window), awaited = new Set();
export { awaited as pendingEvents };
const early = new Set(); // answered before the receipt told their number
const questions = new Map(); // event -> how it was asked
const known = new Map(); // event that was asked again -> {id: by which the front end knows it, begun: whether a part had come}
const begun = new Set(); // events of whose answer a part has come
const END = 'data: {"msg":"close_stream","event_id":null}\n\n';
const HEAD = /^data: \{"msg":"(\w+)","event_id":"?(\w+)/; // how a message begins; what follows may be megabytes

let last = Promise.resolve(), sending = null; // the question before; the one whose receipt is on its way
let recovering = null; // until what was lost is asked again
let wake = () => {};

/* Until something is awaited, and the server knows of it. */
async function asked() {
  while (!awaited.size) {
    await new Promise((go) => { wake = go; });
    await last;
  }
}

/* One after the other: on connections of their own, the later of two clicks might come first. */
async function inTurn(before, input, init) {
  await before;
  while (recovering) await recovering; // the server is about to forget what it was asked
  return (sending = ask(input, init));
}

async function join(input, init) {
  const question = Symbol("on its way"), sent = inTurn(last, input, init);
  last = sent.catch(() => {});
  awaited.add(question);
  wake();
  try {
    const receipt = await sent, { event_id: id } = receipt.ok ? await receipt.clone().json() : {};
    if (id && !early.delete(id)) {
      awaited.add(id);
      questions.set(id, [input, init]);
    }
    return receipt;
  } finally { awaited.delete(question); }
}

/* The server may not know that the connection went, and goes on answering into it: demo/streams.py makes it forget. */
async function recover(address) {
  await connected();
  await Promise.allSettled([sending]);
  await ask(address.replace("/queue/data", "/queue/leave"), { method: "POST" });
  known.clear();
  for (const [id, [input, init]] of [...questions]) {
    const receipt = await ask(input, init);
    const { event_id: other } = receipt.ok ? await receipt.json() : {};
    if (other) known.set(other, { id, begun: begun.has(id) });
  }
}
const again = (address) => (recovering ||= recover(address).finally(() => { recovering = null; }));

function done(id) {
  if (!awaited.delete(id)) early.add(id);
  questions.delete(id);
  begun.delete(id);
}

/* A message about an event that was asked again, as one about the first. Later parts of an answer are changes of earlier
   ones; the first part, whole, becomes a change of what came before the connection went. */
function retold(text, msg, first) {
  const message = JSON.parse(text.slice("data: ".length));
  if (msg === "process_generating" && first.begun) {
    message.output.data = message.output.data.map((value) => [["replace", [], value]]);
    first.begun = false;
  }
  return `data: ${JSON.stringify({ ...message, event_id: first.id })}`;
}

/* The messages of one stream, as they were sent. */
async function* messages(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    const found = (rest + part.value).split("\n\n");
    rest = found.pop();
    yield* found;
  }
}

function heard(text, msg, id) {
  const first = known.get(id), own = first?.id || id;
  if (msg === "process_generating") begun.add(own);
  if (msg === "process_completed") {
    known.delete(id);
    done(own);
  }
  return first ? retold(text, msg, first) : text;
}

/* What the front end reads, without the ends of the server's streams. open(): another one. */
async function* answers(response, input, open) {
  for (;;) {
    let closed = false, over = false;
    try {
      for await (const text of messages(response)) {
        const [, msg, id] = HEAD.exec(text) || [];
        closed ||= msg === "close_stream";
        over ||= msg === "unexpected_error"; // the front end begins anew
        if (!closed) yield `${heard(text, msg, id)}\n\n`;
      }
    } catch (error) {
      if (input.signal?.aborted) return; // it wants no more
      if (over) throw error;
    }
    if (over) return yield END; // or it would take this one for open
    if (!closed) await again(input.url);
    await asked();
    response = await open().catch((error) => { if (!input.signal?.aborted) throw error; });
    if (!response) return;
  }
}

async function listen(input, init) {
  const open = async () => {
    for (;;) {
      try {
        return await ask(input, init);
      } catch (error) {
        if (input.signal?.aborted) throw error;
        await again(input.url);
      }
    }
  };
  const first = await open();
  if (!first.ok) return first;
  const texts = answers(first, input, open);
  const body = new ReadableStream({
    async pull(controller) {
      const { value, done: over } = await texts.next();
      if (over) controller.close();
      else controller.enqueue(value);
    },
  });
  return new Response(body.pipeThrough(new TextEncoderStream()), { status: first.status, headers: first.headers });
}

window.fetch = (input, init) => {
  const { pathname } = new URL(input.url || input, location.href);
  return pathname.endsWith("/queue/join") ? join(input, init) : pathname.endsWith("/queue/data") ? listen(input, init) : ask(input, init);
};
