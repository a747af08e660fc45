// The demo shop: one Checkout.open() a Buy button; the rest shows a developer what came of it.
(() => {
  "use strict";

  const STORIES = {
    completed: (order) => `The popup was closed after order ${order.reference || order.id}.`,
    closed: () => "The popup was closed without an order. Buy the same again and the session is re-used.",
    redirected: () => "The buyer was sent to the hosted page.",
    problem: (_, problem) => `The broker refused: ${problem.status || "no answer"} ${problem.type}`,
  };
  const element = (id) => document.getElementById(id);
  const show = (id, text) => {
    element(id).textContent = text;
  };

  const showSession = (session) => {
    show("story", "The broker answered, and the popup opened on this session.");
    show("reused", session.reused ? "reused" : "new");
    show("mode", session.live ? "live" : "test");
    show("total", session.total ? session.total.display : "known in the popup");
    show("reference", session.reference);
    show("session-id", session.sessionId);
    show("json", JSON.stringify(session, null, 2));
    element("facts").hidden = element("answer").hidden = false;
  };

  const showResult = ({ outcome, order, problem }) => {
    show("story", STORIES[outcome](order, problem));
    if (!order) return;
    show("order", order.reference || order.id);
    element("thanks").hidden = false;
  };

  const buy = async (event) => {
    event.preventDefault();
    if (!window.Checkout) {
      show("story", "The broker's checkout.js did not load. Is the broker running?");
      return;
    }
    const form = event.target;
    const button = form.querySelector("button");
    const quantity = Number(form.elements.quantity.value);
    button.disabled = true;
    element("thanks").hidden = element("facts").hidden = element("answer").hidden = true;
    try {
      showResult(
        await Checkout.open({
          items: [{ product: form.dataset.product, quantity }],
          country: element("country").value,
          onSession: showSession,
        }),
      );
    } finally {
      button.disabled = false;
    }
  };

  document.querySelectorAll("form").forEach((form) => form.addEventListener("submit", buy));
})();
