// aws-xray-sdk-core for Node.js: the sampler that its middleware asks.
import { createRequire } from "node:module";
import { run } from "./pacing.mjs";

const require = createRequire(process.cwd() + "/");
const core = require("aws-xray-sdk-core");
core.setDaemonAddress("tcp:ADDRESS udp:ADDRESS".replaceAll("ADDRESS", process.argv[2].replace("http://", "")));
const sampler = core.middleware.sampler ?? require("aws-xray-sdk-core/dist/lib/middleware/sampling/default_sampler");

await run((route) =>
  sampler.shouldSample({ serviceName: "shop", host: "shop.example.com", httpMethod: "GET", urlPath: route }),
);
