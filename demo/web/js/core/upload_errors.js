/**
 * Gradio shows the body of a refused upload as it is. The sentence in it (demo/server.py, demo/temporary_files.py) is
 * shown instead of the JSON around it: its upload has no other place to change that.
 */
const fetchAsItIs = window.fetch.bind(window);

window.fetch = async (input, init) => {
  const response = await fetchAsItIs(input, init);
  if (response.ok || !/\/upload(\?|$)/.test(String(input.url || input))) return response;
  const body = await response.text();
  let sentence = body;
  try { sentence = JSON.parse(body).error || body; } catch { /* a text of Gradio's own */ }
  return new Response(sentence, { status: response.status });
};
