/// <reference types="vite/client" />

declare module 'plotly.js-cartesian-dist-min' {
  type Root = HTMLElement & {
    on?(
      event: 'plotly_click',
      listener: (event: {
        points: { customdata?: unknown; curveNumber: number; pointIndex: number }[]
      }) => void,
    ): void
    on?(
      event: 'plotly_selected',
      listener: (event?: { range?: { x: [unknown, unknown]; y: [unknown, unknown] } }) => void,
    ): void
    removeAllListeners?(event: string): void
  }
  const Plotly: {
    react(root: HTMLElement, data: unknown[], layout: unknown, config?: unknown): Promise<Root>
    purge(root: HTMLElement): void
    Plots: { resize(root: HTMLElement): void }
  }
  export default Plotly
}
