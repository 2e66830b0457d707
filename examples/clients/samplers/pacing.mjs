// The load of one sampler, as in pacing.py.
const ROUTES = ["/checkout/7", "/health", "/products/3"];
const SLICES = 20;

export async function run(sampled) {
  const [begin, seconds, rate] = process.argv.slice(3).map(Number);
  for (let second = 0; second < seconds; second++) {
    const counts = Object.fromEntries(ROUTES.map((route) => [route, [0, 0]]));
    for (let part = 0; part < SLICES; part++) {
      const wait = (begin + second + part / SLICES) * 1000 - Date.now();
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, wait)));
      for (let number = part; number < rate; number += SLICES) {
        for (const route of ROUTES) {
          counts[route][0] += 1;
          counts[route][1] += sampled(route) ? 1 : 0;
        }
      }
    }
    console.log(JSON.stringify([second, counts]));
  }
  process.exit(0);
}
