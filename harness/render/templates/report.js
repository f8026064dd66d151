"use strict";
(() => {
  const words = JSON.parse(document.getElementById("words").textContent);
  const say = (key, fields) => words[key].replace(/\{(\w+)\}/g, (_, name) => fields[name]);

  const value = (cell) => {
    const exact = cell && (cell.matches("[data-value]") ? cell : cell.querySelector("[data-value]"));
    if (exact) return Number(exact.dataset.value);
    const text = cell ? cell.textContent.trim() : "";
    if (text === "") return null;
    const number = Number(text.replaceAll(",", ""));
    return Number.isNaN(number) ? text : number;
  };

  // What has no number comes last, whichever way the column is sorted.
  const compare = (a, b, sign) => {
    if (a === null || b === null) return (a === null) - (b === null);
    if (typeof a !== typeof b) return typeof a === "number" ? -1 : 1;
    return sign * (typeof a === "number" ? a - b : a.localeCompare(b));
  };

  const sortable = (table) => {
    const headers = [...table.tHead.rows].at(-1).querySelectorAll("th");
    const offset = table.classList.contains("decision") ? 1 : 0;
    headers.forEach((header, index) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...header.childNodes);
      header.append(button);
      button.addEventListener("click", () => {
        const down = header.getAttribute("aria-sort") === "descending" || (!offset && !header.hasAttribute("aria-sort"));
        headers.forEach((other) => other.removeAttribute("aria-sort"));
        header.setAttribute("aria-sort", down ? "ascending" : "descending");
        for (const body of table.tBodies) {
          const rows = [...body.rows].filter((row) => !row.querySelector("[scope=rowgroup]"));
          const key = (row) => (row.cells[index + offset].matches(".none") ? null : value(row.cells[index + offset]));
          rows.sort((a, b) => compare(key(a), key(b), down ? 1 : -1)).forEach((row) => body.append(row));
        }
      });
    });
  };
  document.querySelectorAll("table.sortable, table.decision, table.contrasts").forEach(sortable);

  const table = document.getElementById("decide");
  if (table) {
    document.querySelector(".tools").hidden = false;
    const filter = document.getElementById("filter");
    filter.addEventListener("input", () => {
      const wanted = filter.value.trim().toLowerCase();
      for (const row of table.tBodies[0].rows) {
        row.classList.toggle("filtered", !row.cells[0].textContent.toLowerCase().includes(wanted));
      }
    });
    const all = document.getElementById("all");
    if (all) all.addEventListener("change", () => table.classList.toggle("all", all.checked));

    const numbers = (cell) => [...cell.querySelectorAll("[data-path$='.value']")];
    const clear = () => {
      table.querySelectorAll(".versus").forEach((note) => note.remove());
      table.querySelectorAll(".baseline").forEach((row) => row.classList.remove("baseline"));
      table.querySelectorAll(".pin").forEach((button) => button.setAttribute("aria-pressed", "false"));
      document.getElementById("pinned").textContent = "";
    };
    const pin = (base) => {
      base.classList.add("baseline");
      base.querySelector(".pin").setAttribute("aria-pressed", "true");
      document.getElementById("pinned").textContent = say("baseline", { name: base.querySelector(".name").textContent });
      for (const row of table.tBodies[0].rows) {
        [...row.cells].slice(1).forEach((cell, index) => {
          const [mine, its] = [numbers(cell), numbers(base.cells[index + 1])];
          if (row === base || !mine.length || mine.length !== its.length) return;
          const ratios = mine.map((one, at) => Number(one.dataset.value) / Number(its[at].dataset.value));
          if (!ratios.every(Number.isFinite)) return;
          const note = document.createElement("span");
          note.className = "versus";
          note.textContent = ratios.map((ratio) => `×${ratio.toPrecision(2)}`).join(", CPU ");
          cell.append(note);
        });
      }
    };
    for (const row of table.tBodies[0].rows) {
      const button = document.createElement("button");
      const name = row.querySelector(".name").textContent;
      Object.assign(button, { type: "button", className: "pin", textContent: words.pin });
      button.setAttribute("aria-pressed", "false");
      button.setAttribute("aria-label", say("pin_label", { name }));
      row.querySelector("th small").append(button);
      button.addEventListener("click", () => {
        const was = row.classList.contains("baseline");
        clear();
        if (!was) pin(row);
      });
    }
  }

  const copy = document.getElementById("copy");
  if (copy) {
    copy.addEventListener("click", async () => {
      const text = document.getElementById("markdown");
      const said = document.getElementById("copied");
      try {
        await navigator.clipboard.writeText(text.value);
        said.textContent = words.copied;
      } catch {
        text.select();
        said.textContent = words.selected;
      }
    });
  }
})();
