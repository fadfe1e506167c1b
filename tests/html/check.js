// Runs in the page: checks it with axe-core, uses the filters, and leaves the result as JSON in the document.
(async () => {
  const visible = () => document.querySelectorAll("tbody tr:not([hidden])").length;
  const search = document.getElementById("search");
  const box = (status) => document.querySelector(`input[value=${status}]`);
  const enter = (element, change) => {
    change(element);
    element.dispatchEvent(new Event("input", { bubbles: true }));
  };
  const result = { rows: visible() };
  enter(search, (input) => (input.value = "LEGACY"));
  result.found_by_name = visible();
  result.message = document.getElementById("shown").textContent;
  enter(search, (input) => (input.value = ""));
  for (const status of ["events", "digest_only", "not_expected", "unknown"]) {
    enter(box(status), (input) => (input.checked = false));
  }
  result.with_gaps = visible();
  for (const input of document.querySelectorAll("input[type=checkbox]")) {
    enter(input, (each) => (each.checked = true));
  }
  result.after_reset = visible();
  const { violations } = await axe.run();
  result.violations = violations.map(({ id, help, nodes }) => ({ id, help, nodes: nodes.map((node) => node.html).slice(0, 3) }));
  const output = document.createElement("pre");
  output.id = "check-result";
  output.textContent = JSON.stringify(result);
  document.body.append(output);
})();
