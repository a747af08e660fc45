// The hosted checkout page of PayNow: shows the checkout, pays it, and tells the page around it how it ended.
"use strict";

const SOURCE = "paynow-sandbox";
const framed = window.parent !== window;
const byId = (id) => document.getElementById(id);
let opener = null; // origin of the page that opened the frame, once it has spoken
let view = null;

const NOTICES = {
  unknown: ["There is no such checkout", "Please go back to the shop and start again."],
  completed: ["Thank you", "Your order is complete. This was a sandbox: nothing was charged."],
  ended: ["This checkout is over", "Please go back to the shop and start again."],
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

function leave() {
  const target = view?.order ? view.returnUrl : view?.cancelUrl;
  if (framed) tell("closed");
  else if (target) location.assign(target);
  else history.back();
}

function showNotice(kind) {
  const [title, text] = NOTICES[kind];
  const order = view?.order;
  byId("checkout").hidden = true;
  byId("notice").hidden = false;
  byId("notice-title").textContent = title;
  byId("notice-text").textContent = text;
  byId("mark").textContent = order ? "✓" : "!";
  byId("mark").classList.toggle("good", Boolean(order));
  byId("reference").hidden = !order;
  byId("reference").textContent = order ? `Order ${order.reference}` : "";
  byId("done").hidden = !framed && !view?.returnUrl;
}

function show() {
  byId("store").textContent = view.store;
  if (view.order) return showNotice("completed");
  if (view.ended) return showNotice("ended");
  byId("items").replaceChildren(...view.items.map((item) => {
    const line = document.createElement("li");
    const words = document.createElement("div");
    words.append(element("div", "name", item.name), element("div", "quantity", `Quantity ${item.quantity}`));
    line.append(element("div", "tile", item.name.charAt(0).toUpperCase()), words, element("div", "amount", item.total));
    return line;
  }));
  const rows = view.discounted ? [["Discount", `−${view.discount}`, ""]] : [];
  rows.push(["Total", view.total, "total"]);
  byId("totals").replaceChildren(...rows.flatMap(([name, amount, className]) => [
    element("dt", className, name), element("dd", className, amount),
  ]));
  byId("checkout").hidden = false;
}

async function viewFrom(address, options) {
  const answer = await fetch(address + location.search, options).catch(() => null);
  return answer?.ok ? answer.json() : null;
}

async function pay(event) {
  event.preventDefault();
  byId("pay").disabled = true;
  const paid = await viewFrom("/paynow/pay", { method: "POST" });
  if (!paid) return showNotice("broken");
  view = paid;
  show();
  tell("completed", { orderId: view.order.id });
  if (!framed && view.autoRedirect && view.returnUrl) location.assign(view.returnUrl);
}

async function load() {
  view = await viewFrom("/paynow/state");
  if (view) show();
  else showNotice("unknown");
  tell("ready");
}

window.addEventListener("message", (event) => {
  if (event.source !== window.parent || event.data?.source !== SOURCE || opener) return;
  opener = event.origin;
  load();
});
document.documentElement.classList.toggle("framed", framed);
byId("checkout").addEventListener("submit", pay);
for (const id of ["close", "cancel", "done"]) byId(id).addEventListener("click", leave);
// A frame waits to hear who opened it, so that its messages reach nobody else; any frame may still be shown.
if (framed) setTimeout(() => opener || load(), 3000);
else load();
