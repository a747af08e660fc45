// Checkout.open({items: [{product: "pro-license"}]}) resolves with {reference, outcome, order?, problem?}.
(() => {
  "use strict";

  const TEXTS = {
    en: {
      unreachable: "The checkout cannot be reached. Please try again.",
      again: (wait) => `Please try again in ${wait}.`,
      dismiss: "Dismiss",
    },
    de: {
      unreachable: "Die Kasse ist nicht erreichbar. Bitte erneut versuchen.",
      again: (wait) => `Bitte in ${wait} erneut versuchen.`,
      dismiss: "Schlie\u00dfen",
    },
  };
  const KEY_NAME = "checkout-buyer-key";
  const PAID_NAME = "checkout-paid";
  const ofPage = (name) => Reflect.get(Document.prototype, name, document); // no <img name=scripts>
  const own = ofPage("currentScript");
  const home = own?.src && new URL(own.src).origin;
  const heard = new Set();
  let buyerKey, running, message;
  let reportClosed = () => {};

  const makeKey = () =>
    btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(32)))).replace(
      /[+/=]/g,
      (sign) => ({ "+": "-", "/": "_" })[sign] || "",
    );

  const store = (use) => {
    try {
      return use(localStorage);
    } catch {
      return null; // the key lives as long as the page
    }
  };

  const readKey = () => {
    const kept = store((storage) => storage.getItem(KEY_NAME));
    buyerKey = /^[\w-]{22,128}$/.test(kept) ? kept : buyerKey || makeKey();
    store((storage) => storage.setItem(KEY_NAME, buyerKey));
    return buyerKey;
  };

  const ask = async (url, seconds, options) => {
    const abort = new AbortController();
    const timer = setTimeout(() => abort.abort(), seconds * 1000);
    const headers = { "Content-Type": "application/json", "Buyer-Key": readKey() };
    try {
      const answer = await fetch(url, { ...options, headers, credentials: "omit", signal: abort.signal });
      return { ok: answer.ok, body: Object(await answer.json()) };
    } finally {
      clearTimeout(timer);
    }
  };

  const go = (url) => {
    if (/^https?:$/.test(new URL(url, location).protocol)) location.assign(url);
  };

  const method = (path) => {
    const step = ([, value], name) => [value, Object(value)[name]];
    const [owner, found] = path.split(".").reduce(step, [null, window]);
    return typeof found === "function" && found.bind(owner);
  };

  const makeTag = ({ src, attributes }, closedAttribute) => {
    const tag = document.createElement("script");
    Object.entries(Object(attributes)).forEach(([name, value]) => tag.setAttribute(name, value));
    if (closedAttribute) tag.setAttribute(closedAttribute, "checkoutPopupClosed");
    if (own) tag.nonce = own.nonce;
    tag.src = src;
    return tag;
  };

  const onPage = ({ src, attributes }) =>
    [...ofPage("scripts")].find((tag) => tag.src === src || (tag.id && tag.id === Object(attributes).id));

  const report = (order) => {
    const { id, orderId, reference } = Object(order);
    reportClosed(id || orderId ? { id: id || orderId, reference } : null);
  };

  const hearFunction = (name) => {
    const theirs = window[name];
    if (heard.has(theirs)) return;
    window[name] = (order) => {
      report(order);
      if (theirs) theirs(order); // the page's own
    };
    heard.add(window[name]);
  };

  const hearEvents = ({ on, completed, closed }) => {
    if (heard.has(on)) return;
    let order;
    const subscribe = method(on);
    subscribe(completed, (detail) => (order = detail));
    subscribe(closed, () => {
      report(order);
      order = null;
    });
    heard.add(on);
  };

  const loaded = (tag, add) =>
    new Promise((resolve, reject) => {
      tag.addEventListener("load", resolve);
      tag.addEventListener("error", reject);
      setTimeout(reject, 8000);
      if (add) document.head.append(tag);
    });

  // Resolves with {order} when the popup was closed, with nothing when that cannot be heard.
  const show = async ({ script, call, arguments: values, closed }) => {
    const { attribute, on } = Object(closed);
    const present = onPage(script);
    const tag = present || makeTag(script, attribute);
    const name = attribute && tag.getAttribute(attribute);
    if (name) hearFunction(name);
    try {
      if (!present || !method(call)) await loaded(tag, !present);
    } catch (failure) {
      if (!present) tag.remove(); // the next attempt loads it again
      throw failure;
    }
    if (on) hearEvents(closed);
    const hears = name || on;
    const order = await new Promise((resolve, reject) => {
      reportClosed = resolve;
      running = null; // the popup may never tell of its closing
      Promise.resolve(method(call)(...values)).catch(reject);
      if (!hears) resolve();
    });
    return hears && { order };
  };

  const tell = ({ title, detail, errors = [], retryAfter }, texts, language) => {
    const box = document.createElement("div");
    const button = document.createElement("button");
    const wait = { style: "unit", unit: "second", unitDisplay: "long" };
    const lines = [detail || title, ...errors.map((error) => error.detail)];
    if (retryAfter) lines.push(texts.again(new Intl.NumberFormat(language, wait).format(retryAfter)));
    box.setAttribute("role", "alert");
    box.textContent = lines.join(" ");
    button.textContent = texts.dismiss;
    button.onclick = () => box.remove();
    box.append(button);
    box.style.cssText =
      "position:fixed;z-index:99999;inset:auto 16px 16px;max-width:560px;margin:auto;padding:16px;" +
      "border-radius:8px;background:#7f1d1d;color:#fff;font:16px/1.5 sans-serif";
    button.style.cssText = "margin-left:16px;font:inherit";
    message = document.body.appendChild(box);
  };

  const keptReturnUrl = (url) => ask(url, 3).then(({ body }) => body.returnUrl, () => null);

  const run = async ({ endpoint = home, onProblem, onSession, onClose, ...order }) => {
    if (!endpoint) throw Error("Checkout.open needs an endpoint");
    const language = /^de\b/i.test(order.language || document.documentElement.lang) ? "de" : "en";
    const texts = TEXTS[language];
    const base = endpoint.replace(/\/$/, "") + "/checkout";
    if (store((storage) => storage.getItem(PAID_NAME))) order.fresh = true;
    const request = { method: "POST", body: JSON.stringify(order) };
    const { ok, body } = await ask(base, 15, request).catch(() => ({ body: {} }));
    const { reference, opener, checkoutUrl } = body;
    if (!ok || !checkoutUrl) {
      const problem = body.type ? body : { type: "about:blank", title: texts.unreachable };
      if (problem.fallbackUrl) {
        go(problem.fallbackUrl);
        return { outcome: "redirected" };
      }
      if (onProblem) onProblem(problem);
      else tell(problem, texts, language);
      return { outcome: "problem", problem };
    }

    store((storage) => storage.removeItem(PAID_NAME));
    if (onSession) onSession(body);
    let closed;
    try {
      closed = await show(opener);
    } catch {
      go(checkoutUrl); // no popup that works
    }
    if (!closed) return { reference, outcome: "redirected" };

    const paid = closed.order;
    const result = paid ? { reference, outcome: "completed", order: paid } : { reference, outcome: "closed" };
    if (paid) store((storage) => storage.setItem(PAID_NAME, 1));
    if (onClose) onClose(result);
    const next = paid ? order.returnUrl || (await keptReturnUrl(`${base}/${reference}`)) : order.cancelUrl;
    if (next) go(next);
    return result;
  };

  window.Checkout = {
    open: (options) => {
      if (message) message.remove();
      running = running || run(options).finally(() => (running = null));
      return running;
    },
  };
})();
