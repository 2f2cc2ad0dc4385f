// In the head, so that a page never shows in the wrong colours first.
(() => {
  const wanted = localStorage.getItem("recorder-theme");
  if (wanted === "light" || wanted === "dark") document.documentElement.dataset.theme = wanted;
})();
