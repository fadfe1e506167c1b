"use strict";
const rows = [...document.querySelectorAll("tbody tr")].map((row) => ({
  row,
  text: row.querySelector("th").textContent.toLowerCase(),
  statuses: new Set([...row.querySelectorAll("td:not(.last)")].map((cell) => cell.className)),
}));
const form = document.getElementById("filters");
function update() {
  const search = document.getElementById("search").value.trim().toLowerCase();
  const boxes = [...form.querySelectorAll("input[name=status]")];
  const wanted = boxes.filter((box) => box.checked).map((box) => box.value);
  let shown = 0;
  for (const { row, text, statuses } of rows) {
    const fits = text.includes(search) && wanted.some((status) => statuses.has(status));
    row.hidden = !fits;
    shown += fits ? 1 : 0;
  }
  document.getElementById("shown").textContent = `${shown} of ${rows.length} accounts shown.`;
}
form.addEventListener("input", update);
form.addEventListener("submit", (event) => event.preventDefault());
