import react from '@vitejs/plugin-react'
import { defineConfig } from 'vitest/config'

// `npm run dev` forwards the API to a Raymap server on its default port.
const server = process.env['RAYMAP_URL'] ?? 'http://127.0.0.1:8400'

// Modules that every page needs, in one chunk: eight of a few hundred bytes each compress worse.
const COMMON =
  /src\/(components\/(Icon|Banner)|pages\/(useLiveQuery|useKeys|ShareButton)|model\/(url|health|savedOptions|scope|share))\./

// What the map and the lists begin with, for the same reason.
const WINDOW =
  /src\/(components\/(TimePicker|MapStates|StateSwatch)|map\/geometry|filter\/(FilterBar|recent)|pages\/timeChoices)\./

export default defineConfig({
  base: '/',
  plugins: [react()],
  build: {
    target: 'es2022',
    chunkSizeWarningLimit: 1600,
    manifest: true,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      output: {
        codeSplitting: {
          groups: [
            { name: 'common', test: COMMON },
            { name: 'window', test: WINDOW },
          ],
        },
      },
    },
  },
  server: { proxy: { '/api': server } },
  // The time ends what hangs: CI runs these at the lowest priority, beside other tests.
  test: {
    environment: 'node',
    // No module under test keeps what another test could see; a process for each file took a third of the time.
    isolate: false,
    pool: 'threads',
    include: ['src/**/*.test.ts'],
    css: true,
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
})
