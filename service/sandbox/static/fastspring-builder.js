// A stand-in of the Store Builder Library: opens a session of the sandbox in a popup over the page.
(() => {
  "use strict";

  const SOURCE = "checkout-sandbox";
  const tag = document.getElementById("fsc-api") ?? document.currentScript;
  const origin = new URL(tag.src, location.href).origin;
  let popup = null;

  function call(attribute, ...values) {
    const name = tag.getAttribute(attribute);
    const callback = name && window[name];
    if (typeof callback === "function") callback(...values);
  }

  function fail(code, text) {
    call("data-error-callback", code, text);
  }

  function styled(tagName, style) {
    const node = document.createElement(tagName);
    Object.assign(node.style, style);
    return node;
  }

  function open(id) {
    close();
    const overlay = styled("div", {
      position: "fixed", inset: "0", zIndex: "2147483647", display: "grid", placeItems: "center",
      padding: "16px", background: "rgb(16 17 34 / 55%)", backdropFilter: "blur(3px)",
    });
    const frame = styled("iframe", {
      width: "min(440px, 100%)", height: "min(680px, 100%)", border: "0", borderRadius: "18px",
      background: "#fff", boxShadow: "0 30px 80px rgb(0 0 0 / 35%)",
    });
    frame.title = "Checkout";
    frame.src = `${origin}/checkout/session/${encodeURIComponent(id)}`;
    frame.addEventListener("load", () => frame.contentWindow?.postMessage({ source: SOURCE, type: "opened" }, origin));
    overlay.setAttribute("role", "dialog");
    overlay.setAttribute("aria-modal", "true");
    overlay.setAttribute("aria-label", "Checkout");
    overlay.id = "fsc-popup";
    overlay.append(frame);
    document.body.append(overlay);
    popup = { overlay, frame };
    frame.focus();
  }

  function close() {
    popup?.overlay.remove();
    popup = null;
  }

  function told(message) {
    if (message.type === "loaded") {
      if (message.problem) fail(...message.problem);
      if (message.view) call("data-data-callback", message.view);
    } else if (message.type === "completed") {
      call("data-data-callback", message.view);
      const { id, reference } = message.order;
      call("data-popup-webhook-received", { id, reference, total: message.view.total, currency: message.view.currency });
    } else if (message.type === "closed") {
      close();
      call("data-popup-closed", message.order ? { id: message.order.id, reference: message.order.reference } : null);
    }
  }

  window.addEventListener("message", (event) => {
    const fromPopup = popup && event.source === popup.frame.contentWindow && event.origin === origin;
    if (fromPopup && event.data?.source === SOURCE) told(event.data);
  });

  function checkout(id) {
    if (!tag.getAttribute("data-storefront")) fail("400", "payload-invalid");
    else if (typeof id !== "string" || id === "") fail("400", "empty-session");
    else open(id);
  }

  window.fastspring = { ...window.fastspring };
  window.fastspring.builder = { checkout, push: (session) => checkout(session?.checkout) };
})();
