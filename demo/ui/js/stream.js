/* Gradio's server ends the stream of answers when it owes none, and its front end opens another with the next question.
   But a question that is on its way just then was asked while the old stream still counts as open: no other is opened, and
   the answer never comes. So here the end of a stream is passed on only when nothing is awaited; until then the next one
   takes its place, and the front end reads both as one. window.lensAwaited: the events that are asked and not answered in
   full. Messages: gradio/server_messages.py. */
(() => {
  const ask = window.fetch.bind(window), awaited = (window.lensAwaited = new Set());
  const early = new Set(); // answered before the receipt told their number
  const HEAD = /^data: \{"msg":"(\w+)","event_id":"?(\w+)/; // how a message begins; what follows may be megabytes

  async function join(input, init) {
    const sending = Symbol("sending");
    awaited.add(sending);
    try {
      const receipt = await ask(input, init), { event_id: id } = receipt.ok ? await receipt.clone().json() : {};
      if (id && !early.delete(id)) awaited.add(id);
      return receipt;
    } finally { awaited.delete(sending); }
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

  async function* answers(response, next) {
    for (let more = true; more; response = more && (await next())) {
      more = false;
      for await (const text of messages(response)) {
        const [, msg, id] = HEAD.exec(text) || [];
        if (msg === "process_completed" && !awaited.delete(id)) early.add(id);
        more = msg === "close_stream" && awaited.size > 0;
        if (!more) yield `${text}\n\n`;
      }
    }
  }

  async function listen(input, init) {
    const first = await ask(input, init);
    if (!first.ok) return first;
    const texts = answers(first, () => ask(input, init));
    const body = new ReadableStream({
      async pull(controller) {
        const { value, done } = await texts.next();
        if (done) controller.close();
        else controller.enqueue(value);
      },
    });
    return new Response(body.pipeThrough(new TextEncoderStream()), { status: first.status, headers: first.headers });
  }

  window.fetch = (input, init) => {
    const { pathname } = new URL(input.url || input, location.href);
    return pathname.endsWith("/queue/join") ? join(input, init) : pathname.endsWith("/queue/data") ? listen(input, init) : ask(input, init);
  };
})();
