"""/docs: a page to try the model on. One self-contained file: no other host is asked for anything.

The page itself says nothing of the model, so it needs no key; it reads openapi.json beside it, with the key that its
reader gives.
"""

from __future__ import annotations

CONTENT_TYPE = "text/html; charset=utf-8"
# Nothing but this page's own script, and no request but to where it came from.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; frame-ancestors 'none'"

PAGE = b"""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Try the model</title>
<style>
  :root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
  body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
  label { display: block; margin: 1rem 0 .25rem; font-weight: 600; }
  input, select, textarea, button { font: inherit; padding: .4rem .6rem; box-sizing: border-box; }
  input, select, textarea { width: 100%; }
  textarea, pre { font-family: ui-monospace, monospace; font-size: .9rem; }
  pre { border: 1px solid #8888; padding: .75rem; overflow: auto; min-height: 3rem; }
  table { border-collapse: collapse; width: 100%; } td, th { text-align: left; border-bottom: 1px solid #8884; padding: .3rem; }
  button { margin-top: 1rem; }
</style>
<h1 id="title">Try the model</h1>
<p id="about"></p>
<label for="key">Key (if the endpoint asks for one)</label>
<input id="key" type="password" autocomplete="off" placeholder="lw-...">
<label for="path">Path</label>
<select id="path"><option>POST score</option></select>
<label for="body">Body</label>
<textarea id="body" rows="12" spellcheck="false">{}</textarea>
<button id="send" type="button">Send</button>
<label>Answer <span id="status"></span></label>
<pre id="answer" aria-live="polite"></pre>
<h2>Inputs</h2>
<table><thead><tr><th>name</th><th>type</th><th>required</th></tr></thead><tbody id="inputs"></tbody></table>
<p>The whole description: <a href="openapi.json">openapi.json</a></p>
<script>
"use strict";
const at = id => document.getElementById(id);
const headers = () => at("key").value ? {authorization: "Bearer " + at("key").value} : {};
const pretty = value => JSON.stringify(value, null, 2);
const bodies = {};
function kind(schema) { return [].concat(schema.type).filter(one => one !== "null").join(); }
function show(document_) {
  at("title").textContent = document_.info.title;
  at("about").textContent = document_.info.description;
  const schema = document_.components.schemas.Row || {properties: {}};
  for (const [path, item] of Object.entries(document_.paths)) {
    const version = (item.parameters || [{}])[0].example;
    const asked = path.slice(1).replace("{version}", version);
    if (item.post) bodies["POST " + asked] = item.post.requestBody.content["application/json"].example || {};
    else bodies["GET " + asked] = "";
  }
  at("path").replaceChildren(...Object.keys(bodies).map(path => new Option(path)));
  choose();
  at("inputs").replaceChildren(...Object.entries(schema.properties).map(([name, one]) => {
    const row = document.createElement("tr");
    const required = (schema.required || []).includes(name) ? "yes" : "no";
    for (const text of [name, kind(one), required]) row.appendChild(document.createElement("td")).textContent = text;
    return row;
  }));
}
function choose() {
  const body = bodies[at("path").value];
  at("body").disabled = body === "";
  at("body").value = body === "" ? "" : pretty(body);
}
async function load() {
  const response = await fetch("openapi.json", {headers: headers()});
  if (response.ok) show(await response.json());
  else at("about").textContent = response.status === 401 ? "Give your key to see the model." : "HTTP " + response.status;
}
async function send() {
  at("send").disabled = true;
  try {
    const began = performance.now();
    const [method, path] = at("path").value.split(" ");
    const sent = method === "POST" ? {body: at("body").value, headers: {"content-type": "application/json", ...headers()}}
      : {headers: headers()};
    const response = await fetch(path || "./", {method, ...sent});
    const text = await response.text();
    const took = (performance.now() - began).toFixed(1);
    at("status").textContent = `${response.status} in ${took} ms, x-request-id ${response.headers.get("x-request-id")}`;
    try { at("answer").textContent = pretty(JSON.parse(text)); } catch { at("answer").textContent = text; }
  } catch (error) { at("answer").textContent = String(error); }
  at("send").disabled = false;
}
at("key").addEventListener("change", load);
at("path").addEventListener("change", choose);
at("send").addEventListener("click", send);
load();
</script>
</html>
"""
