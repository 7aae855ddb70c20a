// Keys of the desk. Without this file every page works the same way with mouse, touch and Tab.
"use strict";

const OFF = "pilah-tanpa-pintasan";

function isTyping(target) {
  return target.closest("input:not([type=radio]):not([type=checkbox]), textarea, select") !== null;
}

function press(element) {
  if (element.matches("input[type=radio]")) {
    element.checked = true;
    element.focus();
  } else if (element.matches("input, textarea")) {
    element.focus();
    element.select();
  } else if (element.matches("summary")) {
    element.click();
    if (element.parentElement.open) {
      const inner = element.parentElement.querySelector("textarea, input, select, button");
      if (inner) inner.focus();
    }
  } else {
    element.click();
  }
}

function move(list, step) {
  const links = [...list.querySelectorAll("a.case")];
  const here = links.indexOf(document.activeElement);
  const next = links[Math.min(links.length - 1, Math.max(0, here + step))];
  if (next) next.focus();
}

function onKey(event) {
  if (event.key === "Escape" && isTyping(event.target)) event.target.blur();
  if (event.ctrlKey || event.altKey || event.metaKey || isTyping(event.target)) return;
  if (localStorage.getItem(OFF)) return;
  const list = document.querySelector("[data-list]");
  if (list && (event.key === "j" || event.key === "k")) {
    event.preventDefault();
    move(list, event.key === "j" ? 1 : -1);
    return;
  }
  const found = document.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
  if (!found) return;
  event.preventDefault();
  press(found);
}

// Search while typing; the same address answers the whole page when the form is sent.
let waiting = 0;
async function search(field) {
  const query = new URLSearchParams({ cari: field.value });
  const response = await fetch(`${field.dataset.search}&${query}`, { headers: { "X-Pilah-Fragment": "1" } });
  if (!response.ok) return;
  const choices = document.getElementById("choices");
  const chosen = [...choices.querySelectorAll("input:checked")];
  choices.innerHTML = await response.text(); // made by our own server, every value escaped
  for (const before of chosen) {
    const others = [...choices.querySelectorAll("input")].filter((i) => i.name === before.name);
    const same = others.find((i) => i.value === before.value);
    if (same) same.checked = true;
    else keep(before, choices);
  }
}

// What was chosen stays on offer although another search does not find it.
function keep(input, choices) {
  input.removeAttribute("data-key");
  for (const key of input.parentElement.querySelectorAll("kbd")) key.remove();
  choices.querySelector(`fieldset[data-label="${input.name}"]`).append(input.parentElement);
  input.checked = true;
}

function onInput(event) {
  const field = event.target;
  if (!field.dataset.search) return;
  clearTimeout(waiting);
  waiting = setTimeout(() => search(field), 200);
}

// Enter in the search field searches here: sending the form would lose what was typed elsewhere.
function onSubmit(event) {
  const field = event.target.querySelector("[data-search]");
  if (!field) return;
  event.preventDefault();
  clearTimeout(waiting);
  search(field);
}

function toggle(event) {
  if (event.target.checked) localStorage.removeItem(OFF);
  else localStorage.setItem(OFF, "1");
}

document.addEventListener("keydown", onKey);
document.addEventListener("input", onInput);
document.addEventListener("submit", onSubmit);
const box = document.getElementById("pintasan");
if (box) {
  box.checked = !localStorage.getItem(OFF);
  box.addEventListener("change", toggle);
}
