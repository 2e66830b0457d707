// What may be written at a place of a filter expression.

import { KEYWORDS, OPERATORS, VALUE_FIELDS, type Kind, type Scope } from './language.gen'
import { tokens, type Token } from './tokens'

/** Where the text to be completed begins, and what it may become. */
export type Place = { from: number; prefix: string } & (
  | { what: 'term'; scope: Scope }
  | { what: 'operator'; kind: Kind }
  | { what: 'join' }
  | { what: 'service'; inText: boolean }
  | { what: 'value'; field: string; inText: boolean }
  | { what: 'nothing' }
)

export function placeAt(text: string, position: number): Place {
  const before = tokens(text.slice(0, position))
  const last = before.at(-1)
  const touches = last !== undefined && last.to === position
  const inText = touches && last.kind === 'text' && !isClosed(last.text)
  const word = touches && (inText || /[\w.]$/.test(last.text)) ? last : null
  const rest = word ? before.slice(0, -1) : before
  const from = word ? word.from + (inText ? 1 : 0) : position
  const prefix = word ? text.slice(from, position) : ''
  const at = { from, prefix }
  const previous = rest.at(-1)

  const service = serviceArgument(rest)
  if (service) return { ...at, what: 'service', inText }
  if (previous?.kind === 'operator') {
    return { ...at, what: 'value', field: fieldOf(rest.at(-2)), inText }
  }
  if (inText) return { ...at, what: 'nothing' }
  const annotation = /^annotation\.(.*)$/i.exec(prefix)
  if (annotation) {
    const key = annotation[1] ?? ''
    return { from: position - key.length, prefix: key, what: 'value', field: 'annotation', inText: true }
  }
  if (previous && !word && previous.to < position) {
    const kind = kindOf(previous)
    if (kind) return { ...at, what: 'operator', kind }
  }
  if (previous && endsTerm(previous)) return { ...at, what: 'join' }
  return { ...at, what: 'term', scope: scopeOf(rest) }
}

/** Whether a text begins at this position whose closing quote is missing. */
export function isOpenText(text: string, position: number): boolean {
  const token = tokens(text).find(({ from }) => from === position)
  return token?.kind === 'text' && !isClosed(token.text)
}

/** The keywords that may stand at a place of this scope. */
export function keywordsOf(scope: Scope): { name: string; meaning: string; kind: Kind }[] {
  return Object.entries(KEYWORDS)
    .filter(([, keyword]) => keyword.scope.includes(scope))
    .map(([name, { meaning, kind }]) => ({ name, meaning, kind }))
}

export function operatorsOf(kind: Kind): readonly string[] {
  return OPERATORS[kind]
}

/** Whether the server lists the values of a field. */
export function hasValues(field: string): boolean {
  return field === 'annotation' || field.startsWith('annotation.') || VALUE_FIELDS.includes(field)
}

function isClosed(text: string): boolean {
  return text.length > 1 && /^"([^"\\]|\\.)*"$/.test(text)
}

/** Whether the tokens end inside service( or edge(, where a name is due. */
function serviceArgument(before: Token[]): boolean {
  const last = before.at(-1)?.text
  const [function1, comma] = [before.at(-2)?.text.toLowerCase(), before.at(-4)?.text.toLowerCase()]
  if (last === '(') return function1 === 'service' || function1 === 'edge'
  if (last === ',') return comma === 'edge'
  return last === ':' && before.at(-2)?.text.toLowerCase() === 'name'
}

function fieldOf(token: Token | undefined): string {
  const text = token?.text ?? ''
  const bracketed = /^annotation\[(.*)\]$/i.exec(text)
  return bracketed ? `annotation.${bracketed[1]}` : text.replace(/^annotation\./i, 'annotation.')
}

function kindOf({ kind, text }: Token): Kind | null {
  if (kind === 'annotation') return 'text'
  const keyword = KEYWORDS[text.toLowerCase()]
  return kind === 'keyword' && keyword && keyword.kind !== 'flag' ? keyword.kind : null
}

function endsTerm({ kind, text }: Token): boolean {
  return ['keyword', 'annotation', 'text', 'number', 'value'].includes(kind) || text === ')' || text === '}'
}

function scopeOf(before: Token[]): Scope {
  const open: Scope[] = []
  let last: Scope = 'trace'
  for (const { text, kind } of before) {
    const word = text.toLowerCase()
    if (kind === 'function' && word !== 'id') {
      last = word === 'service' ? 'service' : word === 'edge' ? 'edge' : 'root_cause'
    }
    if (text === '{') open.push(last)
    if (text === '}') open.pop()
  }
  return open.at(-1) ?? 'trace'
}
