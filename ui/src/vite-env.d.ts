/// <reference types="vite/client" />

declare module 'plotly.js-cartesian-dist-min' {
  type Root = HTMLElement & {
    on?(event: string, listener: (event: { points: { customdata?: unknown }[] }) => void): void
    removeAllListeners?(event: string): void
  }
  const Plotly: {
    react(root: HTMLElement, data: unknown[], layout: unknown, config?: unknown): Promise<Root>
    purge(root: HTMLElement): void
    Plots: { resize(root: HTMLElement): void }
  }
  export default Plotly
}
