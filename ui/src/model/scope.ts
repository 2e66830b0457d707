// Account, region and environment: chosen once for all pages, and part of the address.

export const SCOPE_KEYS = ['account', 'region', 'environment'] as const
export type ScopeKey = (typeof SCOPE_KEYS)[number]
export type Scope = Partial<Record<ScopeKey, string>>

/** What the address selects. */
export function scopeOf(params: URLSearchParams): Scope {
  const chosen = SCOPE_KEYS.map((key) => [key, params.get(key)] as const).filter(([, value]) => value)
  return Object.fromEntries(chosen)
}

/** What the page's address selects now. */
export function currentScope(): Scope {
  return typeof location === 'undefined' ? {} : scopeOf(new URLSearchParams(location.search))
}

export interface Choice {
  key: ScopeKey
  label: string
  values: string[]
}

export interface Places {
  accounts: readonly string[]
  regions: readonly string[]
  environments: readonly { value: unknown }[]
}

/** What there is to choose: only where there is more than one, or where one is chosen. */
export function choices(places: Places, scope: Scope): Choice[] {
  const all: Choice[] = [
    {
      key: 'environment',
      label: 'Environment',
      values: places.environments.map(({ value }) => String(value)),
    },
    { key: 'account', label: 'Account', values: [...places.accounts] },
    { key: 'region', label: 'Region', values: [...places.regions] },
  ]
  return all
    .map((choice) => withChosen(choice, scope[choice.key]))
    .filter(({ key, values }) => values.length > 1 || scope[key])
}

function withChosen(choice: Choice, chosen: string | undefined): Choice {
  return !chosen || choice.values.includes(chosen)
    ? choice
    : { ...choice, values: [...choice.values, chosen] }
}
