// OpenTelemetry for JavaScript: @opentelemetry/sampler-aws-xray.
import { createRequire } from "node:module";
import { randomBytes } from "node:crypto";
import { run } from "./pacing.mjs";

const require = createRequire(process.cwd() + "/");
const { ROOT_CONTEXT, SpanKind } = require("@opentelemetry/api");
const { resourceFromAttributes } = require("@opentelemetry/resources");
const { AWSXRayRemoteSampler } = require("@opentelemetry/sampler-aws-xray");

const sampler = new AWSXRayRemoteSampler({
  resource: resourceFromAttributes({ "service.name": "shop" }),
  endpoint: process.argv[2],
});
await run((route) => {
  const attributes = { "url.path": route, "http.request.method": "GET", "server.address": "shop.example.com" };
  const id = randomBytes(16).toString("hex");
  return sampler.shouldSample(ROOT_CONTEXT, id, "GET", SpanKind.SERVER, attributes, []).decision === 2;
});
