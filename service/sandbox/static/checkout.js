// The hosted checkout page: shows the session, pays it, and tells the page around it how it ended.
"use strict";

const SOURCE = "checkout-sandbox";
const path = `/checkout/session/${encodeURIComponent(location.pathname.split("/").pop())}`;
const framed = window.parent !== window;
const byId = (id) => document.getElementById(id);
let opener = null; // origin of the page that opened the popup, once it has spoken
let order = null;

const NOTICES = {
  unknown: ["There is no such checkout", "Please go back to the shop and start again."],
  EXPIRED: ["This checkout has expired", "Please go back to the shop and start again."],
  CANCELLED: ["This order was cancelled", "Nothing was charged."],
  FAILED: ["The payment failed", "Nothing was charged."],
  COMPLETED: ["Thank you", "Your order is complete. This was a sandbox: nothing was charged."],
  PENDING_ORDER: ["Thank you", "Your order is on its way as soon as your payment has arrived."],
  broken: ["That did not work", "Please try again in a moment."],
};

function element(tag, className, text) {
  const node = document.createElement(tag);
  node.className = className;
  node.textContent = text;
  return node;
}

function tell(type, detail) {
  if (framed && opener) window.parent.postMessage({ source: SOURCE, type, ...detail }, opener);
}

function close() {
  if (framed) tell("closed", { order });
  else history.back();
}

function showNotice(kind) {
  const [title, text] = NOTICES[kind] ?? NOTICES.broken;
  const good = order !== null;
  byId("checkout").hidden = true;
  byId("notice").hidden = false;
  byId("notice-title").textContent = title;
  byId("notice-text").textContent = text;
  byId("mark").textContent = good ? "✓" : "!";
  byId("mark").classList.toggle("good", good);
  byId("reference").hidden = !good;
  byId("reference").textContent = good ? `Order ${order.reference}` : "";
  byId("done").hidden = !framed;
}

function showItems(items) {
  byId("items").replaceChildren(...items.map((item) => {
    const line = document.createElement("li");
    const words = document.createElement("div");
    words.append(element("div", "name", item.name), element("div", "quantity", `Quantity ${item.quantity}`));
    line.append(element("div", "tile", item.name.charAt(0).toUpperCase()), words, element("div", "amount", item.total));
    return line;
  }));
}

function showTotals(view) {
  const rows = [["Subtotal", view.subtotal, ""]];
  if (view.discounted) rows.push(["Discount", `−${view.discount}`, ""]);
  const tax = view.taxIncluded ? `Including ${view.taxPercent}% tax` : `Tax ${view.taxPercent}%`;
  rows.push([tax, view.tax, ""], ["Total", view.total, "total"]);
  byId("totals").replaceChildren(...rows.flatMap(([name, amount, className]) => [
    element("dt", className, name), element("dd", className, amount),
  ]));
}

function showMethods(methods) {
  byId("methods").replaceChildren(...methods.map((method, index) => {
    const label = document.createElement("label");
    const input = document.createElement("input");
    Object.assign(input, { type: "radio", name: "method", value: method.id, checked: index === 0 });
    label.append(input, method.name);
    return label;
  }));
}

function show(view) {
  order = view.order;
  document.documentElement.lang = view.language;
  byId("store").textContent = view.store;
  byId("mode").hidden = false;
  byId("mode").textContent = view.live ? "Live" : "Test";
  byId("mode").classList.toggle("live", view.live);
  if (view.status !== "OPEN") return showNotice(view.status);
  showItems(view.items);
  showTotals(view);
  showMethods(view.paymentMethods);
  const country = new Intl.DisplayNames([view.language], { type: "region" }).of(view.country);
  byId("small").textContent = `${country} · ${view.currency}${view.email ? ` · ${view.email}` : ""}`;
  byId("pay").disabled = view.items.length === 0;
  byId("checkout").hidden = false;
}

async function answerOf(address, options) {
  const answer = await fetch(address, options);
  return answer.ok ? answer.json() : null;
}

async function pay(event) {
  event.preventDefault();
  byId("pay").disabled = true;
  const method = new FormData(byId("checkout")).get("method");
  const paid = await answerOf(`${path}/pay`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(method ? { method } : {}),
  }).catch(() => null);
  if (!paid) return showNotice("broken");
  show(paid);
  tell("completed", { order, view: paid });
  if (framed) close();
}

async function load() {
  const view = await answerOf(`${path}/state`).catch(() => null);
  if (view) show(view);
  else showNotice("unknown");
  const problem = view === null ? ["404", "not found"] : view.status === "EXPIRED" ? ["410", "expired"] : null;
  tell("loaded", { view, problem });
}

window.addEventListener("message", (event) => {
  if (event.source !== window.parent || event.data?.source !== SOURCE || opener) return;
  opener = event.origin;
  load();
});
document.documentElement.classList.toggle("framed", framed);
byId("checkout").addEventListener("submit", pay);
byId("cancel").addEventListener("click", close);
byId("done").addEventListener("click", close);
// A frame waits to hear who opened it, so that its messages reach nobody else; any frame may still be shown.
if (framed) setTimeout(() => opener || load(), 3000);
else load();
