import { describe, expect, it } from 'vitest'
import { administers, administersServer } from './session'

describe('who administers', () => {
  it.each([
    [null, null, '', true, true],
    ['ana', 'admin', '', true, true],
    ['ana', 'admin', 'acme', true, false],
    ['ana', 'editor', '', false, false],
    ['ana', 'viewer', 'acme', false, false],
  ])('%s %s of %s', (name, role, tenant, some, all) => {
    const session = { name, role, via: null, tenant }
    expect([administers(session), administersServer(session)]).toEqual([some, all])
  })
})
