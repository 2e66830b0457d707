// Versions in words.

import type { Version } from '../api/types'

/** A version that is a number or begins with one is written as people write it. */
export function versionWords({ version, named }: Pick<Version, 'version' | 'named'>): string {
  if (!named) return version || 'no version'
  return /^\d/.test(version) ? `v${version}` : version
}
