// A text that is no expression, as a search for it.

import { quoted } from './quoted'

/** Whether a text is rather to be searched for: no sign or operator of the language is in it. */
export function isFreeText(text: string): boolean {
  return (
    text.trim() !== '' && !/[(){}[\]=<>!]|\b(AND|OR|NOT|CONTAINS|BEGINSWITH|ENDSWITH)\b/.test(unquoted(text))
  )
}

/** The traces with a text in an address, a name, a user, or an exception. */
export function textSearch(text: string): string {
  const value = quoted(unquoted(text))
  const places = ['http.url', 'name', 'user'].map((field) => `${field} CONTAINS ${value}`)
  const exceptions = ['fault', 'error'].flatMap((kind) =>
    ['name', 'message'].map((field) => `rootcause.${kind}.exception { ${field} CONTAINS ${value} }`),
  )
  return [...places, ...exceptions].join(' OR ')
}

function unquoted(text: string): string {
  const trimmed = text.trim()
  return /^"(.*)"$/.exec(trimmed)?.[1] ?? trimmed
}
