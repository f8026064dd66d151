"use strict";
(() => {
  const words = JSON.parse(document.getElementById("words").textContent);
  // {name} is a field, {count:block|blocks} a number with its noun.
  const say = (key, fields) =>
    words[key].replace(/\{(\w+)(?::([^|}]*)\|([^}]*))?\}/g, (_, name, one, many) =>
      one === undefined ? fields[name] : `${fields[name]} ${fields[name] === 1 ? one : many}`,
    );

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
  document.querySelectorAll("table.sortable, table.decision").forEach(sortable);

  const table = document.getElementById("decide");
  if (table) {
    document.querySelector("#decision .tools").hidden = false;
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

  // Your workload: only measured points are read, and what lies between two of them is said to be interpolated.
  const own = document.getElementById("workload-form");
  if (own) {
    own.hidden = false;
    const points = JSON.parse(document.getElementById("own-points").textContent);
    const at = (id) => document.getElementById(id);
    const digits = (number) => Number(number.toPrecision(3)).toLocaleString("en");
    const tableOf = (caption, unit, rows) => {
      const box = document.createElement("div");
      const made = document.createElement("table");
      made.createCaption().textContent = caption;
      const head = made.createTHead().insertRow();
      for (const [text, name] of [[words.target, "text"], [unit, ""]]) {
        const cell = document.createElement("th");
        Object.assign(cell, { scope: "col", className: name, textContent: text });
        head.append(cell);
      }
      const body = made.createTBody();
      for (const [name, shown] of rows) {
        const row = body.insertRow();
        const header = document.createElement("th");
        Object.assign(header, { scope: "row", textContent: name });
        row.append(header);
        row.insertCell().textContent = digits(shown);
      }
      box.append(made);
      return box;
    };
    const interpolate = (low, high, wait) => {
      const place = (one) => Math.log(one + 0.1);
      const share = high.wait === low.wait ? 0 : (place(wait) - place(low.wait)) / (place(high.wait) - place(low.wait));
      const rows = [];
      for (const [name, [first]] of Object.entries(low.cells)) {
        const second = (high.cells[name] || [null])[0];
        if (first > 0 && second > 0) rows.push([name, Math.exp(Math.log(first) * (1 - share) + Math.log(second) * share)]);
      }
      return rows.sort((a, b) => b[1] - a[1]);
    };
    const byWait = (wait, connections) => {
      const said = [];
      const made = [];
      const near = points.waits.filter((one) => one.connections === connections);
      const series = new Map();
      for (const one of near) {
        const key = [one.scenario, one.params.replace(/(^|, )ms=[^,]*/, "")].join("");
        series.set(key, [...(series.get(key) || []), one]);
      }
      for (const some of series.values()) {
        some.sort((a, b) => a.wait - b.wait);
        const low = some.filter((one) => one.wait <= wait).at(-1);
        const high = some.find((one) => one.wait >= wait);
        const fields = { scenario: some[0].scenario, wait, connections };
        if (!low || !high) {
          if (some.length > 1) said.push(say("own_beyond", { ...fields, edge: (low || high).wait }));
          continue;
        }
        said.push(say(low === high ? "own_measured" : "own_between", { ...fields, low: low.wait, high: high.wait }));
        made.push(tableOf(say("own_wait_caption", fields), words.rps, interpolate(low, high, wait)));
      }
      if (!near.length) said.push(say("own_none", { connections }));
      return [said, made];
    };
    const byPayload = (setting) =>
      points.payloads
        .filter((one) => one.setting === setting)
        .map((one) => {
          const rows = Object.entries(one.cells).filter(([, [, cpu]]) => cpu > 0);
          const sorted = rows.map(([name, [, cpu]]) => [name, cpu]).sort((a, b) => a[1] - b[1]);
          return tableOf(say("own_payload_caption", { scenario: one.scenario, setting }), words.cpu, sorted);
        });
    const show = () => {
      const wait = at("own-wait") ? Number(at("own-wait").value) : NaN;
      const valid = at("own-wait") && at("own-wait").value !== "" && wait >= 0;
      const [said, made] = valid ? byWait(wait, Number(at("own-connections").value)) : [[], []];
      at("own-source").textContent = said.join(" ");
      at("own-result").replaceChildren(...made, ...(at("own-payload") ? byPayload(at("own-payload").value) : []));
    };
    own.addEventListener("input", show);
    own.addEventListener("submit", (event) => event.preventDefault());
    show();
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
