// The lean Node stack: Fastify, an undici Pool, ioredis. It takes a checkout, looks for the buyer's session, else makes
// one at the provider and keeps it.
//
// Left out, and done by the service it is compared with: log lines, metrics, limits, sealed values, breaker, bulkhead and
// rate budget, the comparison of the provider's answer with what was asked, one session for requests of the same moment,
// idempotency keys, and records of what was made.
import cluster from 'node:cluster';
import { createHash, randomUUID } from 'node:crypto';
import Fastify from 'fastify';
import Redis from 'ioredis';
import { Pool } from 'undici';

const { PORT, STORE_URL, UPSTREAM_URL, WORKERS = '1' } = process.env;
const TTL_SECONDS = 86_100;
const PRODUCTS = '^pro-license$';

const text = { type: 'string', maxLength: 256 };
const contact = {
  email: text,
  firstName: text,
  lastName: text,
  company: text,
  phone: text,
  address: { type: 'object', properties: { line1: text, city: text, region: text, postalCode: text } },
};
const schema = {
  headers: { type: 'object', required: ['buyer-key'], properties: { 'buyer-key': { type: 'string', minLength: 22 } } },
  body: {
    type: 'object',
    required: ['items'],
    properties: {
      items: {
        type: 'array',
        minItems: 1,
        items: {
          type: 'object',
          required: ['product'],
          properties: {
            product: { type: 'string', pattern: PRODUCTS },
            quantity: { type: 'integer', minimum: 1, default: 1 },
          },
        },
      },
      country: { type: 'string', pattern: '^[A-Z]{2}$' },
      language: text,
      customer: { type: 'object', properties: contact },
    },
  },
};

function upstreamRequest(order, reference) {
  const { email, firstName, lastName, company, phone, address = {} } = order.customer ?? {};
  return JSON.stringify({
    live: true,
    cart: {
      lineItems: order.items.map(({ product, quantity }) => ({
        productPath: product,
        quantity,
        attributes: { broker_ref: reference },
      })),
    },
    locale: order.language,
    country: order.country,
    customer: {
      billToContact: { email, firstName, lastName, company, phoneNumber: phone },
      billToAddress: {
        addressLine1: address.line1,
        city: address.city,
        region: address.region,
        postalCode: address.postalCode,
      },
    },
    orderTags: { channel: 'web', broker_ref: reference },
  });
}

function sessionOf(answer, reference) {
  return JSON.stringify({
    reference,
    sessionId: answer.id,
    checkoutUrl: answer.checkoutUrls.webcheckoutUrl,
    live: answer.live,
    country: answer.country,
    currency: answer.currency,
    total: answer.cart.withTaxNetTotal,
    expiresAt: answer.expires,
  });
}

async function serve() {
  const store = new Redis(STORE_URL, { enableAutoPipelining: true });
  const address = new URL(UPSTREAM_URL);
  const upstream = new Pool(address.origin);
  const path = `${address.pathname.replace(/\/$/, '')}/v2/checkouts/acme/popup-checkout/sessions`;
  const headers = {
    authorization: `Basic ${Buffer.from('bench:bench').toString('base64')}`,
    accept: 'application/json',
    'content-type': 'application/json',
  };
  const app = Fastify({ logger: false, keepAliveTimeout: 75_000 });

  app.post('/checkout', { schema }, async (request, reply) => {
    const order = request.body;
    const key = createHash('sha256').update(request.headers['buyer-key']).update(JSON.stringify(order)).digest('hex');
    reply.type('application/json');
    const known = await store.get(key);
    if (known) return known;
    const reference = `cs_${randomUUID()}`;
    const body = upstreamRequest(order, reference);
    const answer = await upstream.request({ method: 'POST', path, headers, body });
    if (answer.statusCode !== 201) {
      await answer.body.dump();
      return reply.code(502).send('{"title":"The provider failed."}');
    }
    const session = sessionOf(await answer.body.json(), reference);
    await store.set(key, session, 'EX', TTL_SECONDS);
    return reply.code(201).send(session);
  });

  await app.listen({ host: '127.0.0.1', port: Number(PORT), backlog: 4096 });
}

if (cluster.isPrimary && Number(WORKERS) > 1) {
  for (let count = 0; count < Number(WORKERS); count += 1) cluster.fork();
  process.on('SIGTERM', () => process.exit(0));
} else {
  await serve();
}
