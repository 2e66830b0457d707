// The tenants beside the default one, for forms; none for who administers one of them.

import { adminAddresses, type TenantList } from '../api/admin'
import type { Session } from '../api/client'
import { administersServer } from '../model/session'
import { useLiveQuery } from './useLiveQuery'

const NONE: readonly string[] = []

export function useTenantNames(session: Session): readonly string[] {
  const url = administersServer(session) ? adminAddresses.tenantNames : null
  const { data } = useLiveQuery<TenantList>(url, { key: 'tenant names' })
  return data?.tenants.filter((one) => !one.default && !one.deleting).map(({ name }) => name) ?? NONE
}
