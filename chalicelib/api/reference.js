"use strict";
const box = document.getElementById("filter"), told = document.getElementById("found");
const links = [...document.querySelectorAll("nav li")], operations = [...document.querySelectorAll(".op")];
const groups = [...document.querySelectorAll("nav .tags details")], sections = [...document.querySelectorAll("main .tag")];
function narrow() {
  const words = box.value.toLowerCase().split(/\s+/).filter(Boolean);
  const fits = (node) => words.every((word) => node.dataset.words.includes(word));
  let count = 0;
  for (const node of operations) { node.hidden = !fits(node); count += node.hidden ? 0 : 1; }
  for (const node of links) node.hidden = !fits(node);
  for (const node of groups) {
    node.hidden = ![...node.querySelectorAll("li")].some((link) => !link.hidden);
    node.open = words.length > 0 && !node.hidden;
  }
  for (const node of sections) node.hidden = ![...node.querySelectorAll(".op")].some((op) => !op.hidden);
  told.textContent = words.length ? count + " operations" : "";
}
function show() {
  const name = decodeURIComponent(location.hash.slice(1)), node = name && document.getElementById(name);
  if (!node) return;
  if (node.hidden || node.closest("[hidden]")) { box.value = ""; narrow(); }
  if (node.tagName === "DETAILS") node.open = true;
  node.scrollIntoView();
}
box.addEventListener("input", narrow);
window.addEventListener("hashchange", show);
document.addEventListener("keydown", (event) => {
  if (event.key === "/" && document.activeElement !== box) { event.preventDefault(); box.focus(); }
});
show();
