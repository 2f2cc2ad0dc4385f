"use strict";

const byId = (id) => document.getElementById(id);

// Light and dark.
byId("theme").addEventListener("click", () => {
  const root = document.documentElement;
  const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
  localStorage.setItem("recorder-theme", root.dataset.theme);
  document.dispatchEvent(new Event("theme"));
});

// Keys: g and a letter goes to a page, / to the search, j and k through rows.
let going = false;
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("input, select, textarea")) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  if (going) {
    going = false;
    const link = document.querySelector(`nav a[data-key="${CSS.escape(event.key)}"]`);
    if (link) link.click();
  } else if (event.key === "g") {
    going = true;
  } else if (event.key === "/" && byId("search")) {
    event.preventDefault();
    byId("search").focus();
  } else if (event.key === "j" || event.key === "k") {
    move(event.key === "j" ? 1 : -1);
  }
});

function move(step) {
  const links = [...document.querySelectorAll("td a.open")];
  if (!links.length) return;
  const at = links.indexOf(document.activeElement);
  links[Math.min(Math.max(at + step, 0), links.length - 1)].focus();
}

// Empty fields do not belong into an address.
for (const form of document.querySelectorAll("form.filters")) {
  form.addEventListener("submit", () => {
    for (const field of form.elements) if (field.name && !field.value) field.disabled = true;
  });
  addEventListener("pageshow", () => {
    for (const field of form.elements) field.disabled = false;
  });
}

// Copy what a link leads to; where that fails the link itself still shows it.
for (const link of document.querySelectorAll("a.copy")) {
  link.addEventListener("click", async (event) => {
    if (!navigator.clipboard || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    try {
      const answer = await fetch(link.href);
      if (!answer.ok) throw new Error(answer.status);
      await navigator.clipboard.writeText(await answer.text());
      byId("copied").textContent = `${link.textContent} copied`;
    } catch {
      location.href = link.href;
    }
  });
}

// An answer once more, at the pace at which it came.
for (const player of document.querySelectorAll(".player")) {
  const [button, speed, clock, screen] = [".play", ".speed", ".clock", ".screen"].map((name) => player.querySelector(name));
  const label = button.textContent;
  let pieces, frame;
  const stop = () => {
    cancelAnimationFrame(frame);
    frame = undefined;
    button.textContent = label;
  };
  button.addEventListener("click", async () => {
    if (frame !== undefined) return stop();
    pieces ??= await (await fetch(player.dataset.pieces)).json();
    screen.hidden = false;
    screen.replaceChildren();
    button.textContent = "■ Stop";
    let next = 0, last, at = 0, part;
    const show = (now) => {
      at += last === undefined ? 0 : ((now - last) / 1000) * Number(speed.value);
      last = now;
      while (next < pieces.length && pieces[next][0] <= at) {
        const [, kind, text] = pieces[next++];
        if (!part || part.dataset.kind !== kind) {
          part = document.createElement("span");
          part.dataset.kind = kind;
          screen.append(part);
        }
        part.append(text);
      }
      clock.textContent = `${Math.min(at, pieces.at(-1)?.[0] ?? 0).toFixed(2)}s`;
      if (next >= pieces.length) return stop();
      frame = requestAnimationFrame(show);
    };
    frame = requestAnimationFrame(show);
  });
}

// New calls, as they are stored. A list of a thousand only counts what is new.
const live = byId("live");
if (live && window.EventSource) {
  const source = new EventSource(live.dataset.src);
  let count = 0;
  source.addEventListener("calls", (event) => {
    const rows = byId("rows");
    if (!rows) return location.reload();
    const part = document.createElement("template");
    part.innerHTML = event.data;
    const fresh = [...part.content.querySelectorAll("tr")].filter((row) => !rows.querySelector(`tr[data-seq="${CSS.escape(row.dataset.seq)}"]`));
    for (const row of fresh) row.classList.add("fresh");
    if (rows.children.length < 1000) rows.prepend(...fresh);
    count += fresh.length;
    live.textContent = `live, ${count} new`;
  });
  source.addEventListener("open", () => live.classList.add("on"));
  source.addEventListener("error", () => live.classList.remove("on"));
  addEventListener("pagehide", () => source.close());
}
