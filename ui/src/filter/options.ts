// The options that the editor offers at a place of an expression.

import { count } from '../model/format'
import { hasValues, isOpenText, keywordsOf, operatorsOf, placeAt, type Place } from './completion'
import { quoted } from './quoted'

export interface Value {
  value: string | number | boolean
  count: number
}

/** Values that occur, of services or of a field, the most frequent first. */
export type LoadValues = (field: string, prefix: string) => Promise<Value[]>

export interface Option {
  label: string
  apply: string
  detail?: string
  info?: string
  boost?: number
}

export interface Options {
  from: number
  options: Option[]
  /** The server or this module has chosen by the prefix. */
  filter: boolean
}

/** What stands before a value already. */
interface Written {
  inText: boolean
  /** Whether its closing quote is missing: of one that was typed before the editor was loaded. */
  closes: boolean
}

const NOTHING: Written = { inText: false, closes: false }

const BLOCKS: Option[] = [
  { label: 'service', apply: 'service(', info: 'Some unit of a node satisfies the conditions in its block.' },
  {
    label: 'edge',
    apply: 'edge(',
    info: 'Some call between two nodes satisfies the conditions in its block.',
  },
  { label: 'annotation', apply: 'annotation.', info: 'An annotation by its key.' },
]

export async function optionsAt(text: string, position: number, load: LoadValues): Promise<Options | null> {
  const place = placeAt(text, position)
  const { from, prefix } = place
  const written =
    'inText' in place && place.inText ? { inText: true, closes: isOpenText(text, from - 1) } : NOTHING
  switch (place.what) {
    case 'term':
      return { from, options: terms(place, prefix), filter: true }
    case 'join':
      return {
        from,
        options: ['AND', 'OR'].map((word) => ({ label: word, apply: `${word} ` })),
        filter: true,
      }
    case 'operator':
      return {
        from,
        options: operatorsOf(place.kind).map((word) => ({ label: word, apply: `${word} ` })),
        filter: true,
      }
    case 'service': {
      const found = await load('service', prefix)
      return { from, options: found.map((one) => valueOption(one, written, 'requests')), filter: false }
    }
    case 'value': {
      if (!hasValues(place.field)) return null
      const found = await load(place.field, prefix)
      return { from, options: found.map((one) => valueOption(one, written, 'traces')), filter: false }
    }
    case 'nothing':
      return null
  }
}

function terms(place: Extract<Place, { what: 'term' }>, prefix: string): Option[] {
  const keywords = keywordsOf(place.scope).map(({ name, meaning, kind }) => ({
    label: name,
    apply: kind === 'flag' ? name : `${name} `,
    info: meaning,
  }))
  if (place.scope !== 'trace') return keywords
  return [...(prefix ? [] : BLOCKS), ...keywords, ...(prefix ? BLOCKS : [])]
}

function valueOption({ value, count: number }: Value, { inText, closes }: Written, things: string): Option {
  const text = String(value)
  const apply = inText ? `${text}${closes ? '"' : ''}` : typeof value === 'string' ? quoted(text) : text
  return { label: text, apply, detail: `${count(number)} ${things}` }
}
