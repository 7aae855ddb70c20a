// Sends the form without leaving the page. Without this file the form works the same way.
"use strict";

const form = document.getElementById("form");
const result = document.getElementById("result");

function show(html) {
  result.innerHTML = html; // made by our own server, every value escaped
  result.removeAttribute("aria-busy");
  result.focus();
}

function say(message) {
  const line = document.createElement("p");
  line.className = "problem";
  line.textContent = message;
  result.replaceChildren(line);
  result.removeAttribute("aria-busy");
}

async function send(event) {
  event.preventDefault();
  const button = form.querySelector("button[type=submit]");
  button.disabled = true;
  say("Sedang dipilah…");
  result.firstChild.className = "";
  result.setAttribute("aria-busy", "true");
  try {
    const response = await fetch("/", {
      method: "POST",
      headers: { "X-Pilah-Fragment": "1" },
      body: new URLSearchParams(new FormData(form)),
    });
    const html = (response.headers.get("content-type") || "").startsWith("text/html");
    if (html) show(await response.text());
    else say("Layanan gagal memproses. Laporan belum tentu tersimpan; coba lagi.");
  } catch {
    say("Layanan tidak terjangkau. Periksa sambungan lalu coba lagi.");
  } finally {
    button.disabled = false;
  }
}

if (form && result) form.addEventListener("submit", send);
