import { describe, expect, test } from 'vitest'
import { choices, scopeOf } from './scope'

const NONE = { accounts: [], regions: [], environments: [] }
const TWO = {
  accounts: ['1', '2'],
  regions: ['eu-west-1'],
  environments: [{ value: 'prod' }, { value: 'dev' }],
}

describe('the choice of account, region and environment', () => {
  test('is offered only where there is more than one', () => {
    expect(choices(NONE, {})).toEqual([])
    expect(choices(TWO, {}).map(({ key }) => key)).toEqual(['environment', 'account'])
  })

  test('stays while one is chosen, also if the window lacks it', () => {
    const [region] = choices(NONE, { region: 'eu-west-1' })
    expect(region).toEqual({ key: 'region', label: 'Region', values: ['eu-west-1'] })
    expect(choices(TWO, { environment: 'test' })[0]?.values).toEqual(['prod', 'dev', 'test'])
  })

  test('is read from the address', () => {
    expect(scopeOf(new URLSearchParams('account=1&filter=ok&region='))).toEqual({ account: '1' })
  })
})
