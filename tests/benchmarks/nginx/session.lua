-- The provider's answer to a create; whatever is not compared with the request is constant.
local read_body, body_data = ngx.req.read_body, ngx.req.get_body_data

local HEAD = '{"id":"'
local MIDDLE = [[","created":"2026-01-01T10:00:00.000Z","expires":"2099-01-02T10:00:00.000Z","status":"OPEN","locale":"de",]]
  .. [["country":"DE","currency":"EUR","live":true,"orderTags":]]
local line = [[{"productPath":"pro-license","quantity":2,"quantityBehavior":"ALLOW","display":"Pro Licence","sku":"PRO-1",]]
  .. [["description":"]] .. string.rep("One licence for one seat. ", 20) .. [[","price":{"unitListPrice":24.5,]]
  .. [["unitListPriceDisplay":"24,50 EUR","unitDiscount":0.0,"unitPrice":24.5,"total":49.0,"totalDisplay":"49,00 EUR"}}]]
local TAIL = [[,"cart":{"lineItems":[]] .. line .. [[],"netTotal":49.0,"withTaxNetTotal":49.0,"withTaxNetTotalDisplay":]]
  .. [["49,00 EUR","withoutTaxNetTotal":41.18,"taxRate":19.0,"taxType":"VAT"},"customer":{"billToContact":{"email":]]
  .. [["ada@example.org","firstName":"Ada","lastName":"Lovelace","company":"Analytical Engines GmbH"},"billToAddress":]]
  .. [[{"addressLine1":"Invalidenstrasse 117","city":"Berlin","region":"BE","postalCode":"10115"}},"paymentMethods":]]
  .. [[[{"id":"CARD"},{"id":"PAYPAL"},{"id":"SEPA"},{"id":"GOOGLEPAY"},{"id":"APPLEPAY"}],"checkoutUrls":]]
  .. [[{"webcheckoutUrl":"https://acme.onfastspring.com/checkout/session/OS"},"warnings":[],]]
  .. [["checkoutStatus":["READY_FOR_CHECKOUT"]}]]

local M = {}

function M.answer()
  read_body()
  local tags = (body_data() or ""):match('"orderTags":(%b{})') or "{}"
  local answer = HEAD .. ngx.var.request_id .. MIDDLE .. tags .. TAIL
  ngx.status = 201
  ngx.header.content_type = "application/json"
  ngx.header.content_length = #answer
  ngx.print(answer)
end

return M
