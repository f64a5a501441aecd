// Sorting, the theme and the masks' strength. Without it the page shows all the same.
for (const button of document.querySelectorAll("button.sort")) {
  button.addEventListener("click", () => {
    const head = button.closest("th");
    const table = head.closest("table");
    const column = [...head.parentNode.children].indexOf(head);
    const first = head.dataset.better === "lower" ? "ascending" : "descending";
    const other = first === "ascending" ? "descending" : "ascending";
    const order = head.getAttribute("aria-sort") === first ? other : first;
    for (const each of table.querySelectorAll("th[aria-sort]")) each.setAttribute("aria-sort", "none");
    head.setAttribute("aria-sort", order);
    const sign = order === "ascending" ? 1 : -1;
    const value = (row) => row.children[column].dataset.v ?? "";
    const body = table.tBodies[0];
    const rows = [...body.rows].sort((a, b) => {
      const [x, y] = [value(a), value(b)];
      if (x === "" || y === "") return (x === "") - (y === ""); // what a row lacks comes last, either way
      const numbers = [Number(x), Number(y)];
      return sign * (numbers.some(Number.isNaN) ? x.localeCompare(y) : numbers[0] - numbers[1]);
    });
    body.append(...rows);
  });
}

const root = document.documentElement;
const theme = document.getElementById("theme");
const isDark = () => (root.dataset.theme ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
const name = () => { theme.textContent = isDark() ? "Light" : "Dark"; };
theme.hidden = false;
name();
theme.addEventListener("click", () => { root.dataset.theme = isDark() ? "light" : "dark"; name(); });

for (const slider of document.querySelectorAll(".slider")) {
  slider.hidden = false;
  slider.querySelector("input").addEventListener("input", (event) => {
    slider.closest(".pictures").style.setProperty("--masks", event.target.value / 100);
  });
}
