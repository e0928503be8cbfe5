// Words of the field: what one means stands at the foot of the screen while one points at it.

import { leaves } from "./keys.js";

export function begin() {
  const says = document.getElementById("says");
  const explain = (event) => {
    const word = event.type === "focusout" ? null : event.target.closest(".word");
    says.hidden = !word;
    says.textContent = word ? word.dataset.says : "";
  };
  for (const kind of ["pointerover", "focusin", "focusout"])
    document.addEventListener(kind, explain);
  leaves(() => {
    const was = !says.hidden;
    says.hidden = true;
    return was;
  });
}
