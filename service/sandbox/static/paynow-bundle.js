// A stand-in of PayNow.js: opens a checkout of the sandbox in a frame, over the page or in an element of it.
(() => {
  "use strict";

  const SOURCE = "paynow-sandbox";
  const HOSTED = new URL("/paynow/", document.currentScript.src).href;
  const SMALLEST = { width: 800, height: 760 };
  const listeners = { ready: [], completed: [], closed: [] };
  let opened = null;

  function on(name, listener) {
    listeners[name]?.push(listener);
  }

  function off(name, listener) {
    if (listeners[name]) listeners[name] = listeners[name].filter((one) => one !== listener);
  }

  function emit(name, detail) {
    for (const listener of listeners[name]) listener(detail);
  }

  function styled(tagName, style) {
    const node = document.createElement(tagName);
    Object.assign(node.style, style);
    return node;
  }

  function overlay() {
    const node = styled("div", {
      position: "fixed", inset: "0", zIndex: "2147483647", display: "grid", placeItems: "center",
      padding: "16px", background: "rgb(16 17 34 / 55%)", backdropFilter: "blur(3px)",
    });
    node.setAttribute("role", "dialog");
    node.setAttribute("aria-modal", "true");
    node.setAttribute("aria-label", "Checkout");
    document.body.append(node);
    return node;
  }

  function frameOf(address) {
    const frame = styled("iframe", {
      width: "min(440px, 100%)", height: "min(680px, 100%)", border: "0", borderRadius: "18px", background: "#fff",
    });
    frame.title = "Checkout";
    frame.src = address;
    frame.addEventListener("load", () => {
      frame.contentWindow?.postMessage({ source: SOURCE, type: "opened" }, new URL(address).origin);
    });
    return frame;
  }

  function requireRoom(element) {
    if (element.clientWidth < SMALLEST.width || element.clientHeight < SMALLEST.height) {
      throw new Error(`The element must be at least ${SMALLEST.width} x ${SMALLEST.height} pixels`);
    }
  }

  function open({ token, baseURL = HOSTED, renderTo, disableRedirect = false }) {
    if (typeof token !== "string" || token === "") throw new Error("A token is required");
    if (opened) throw new Error("A checkout is open already");
    const address = new URL(`?t=${encodeURIComponent(token)}`, baseURL).href;
    if (window.innerWidth < SMALLEST.width && !disableRedirect) return location.assign(address);
    if (renderTo) requireRoom(renderTo.element);
    const frame = frameOf(address);
    const box = renderTo ? frame : overlay();
    if (renderTo) renderTo.element.append(frame);
    else box.append(frame);
    box.id = "paynow-checkout";
    opened = { box, frame, origin: new URL(address).origin };
    frame.focus();
  }

  function close() {
    if (!opened) return;
    opened.box.remove();
    opened = null;
    emit("closed");
  }

  window.addEventListener("message", (event) => {
    const fromFrame = opened && event.source === opened.frame.contentWindow && event.origin === opened.origin;
    if (!fromFrame || event.data?.source !== SOURCE) return;
    if (event.data.type === "ready") emit("ready");
    else if (event.data.type === "completed") emit("completed", { orderId: event.data.orderId });
    else if (event.data.type === "closed") close();
  });

  window.PayNow = { checkout: { open, close, on, off } };
})();
