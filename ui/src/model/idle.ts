/** Resolves when the browser has nothing to do, after a second and a half at the latest: until then the first picture is drawn. */
export function idle(): Promise<void> {
  // Safari has no such function.
  const request = window.requestIdleCallback as Window['requestIdleCallback'] | undefined
  return new Promise((resolve) => {
    if (request) request(() => resolve(), { timeout: 1500 })
    else setTimeout(resolve, 200)
  })
}
