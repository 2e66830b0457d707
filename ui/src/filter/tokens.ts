// A filter expression as tokens, by the terminals of the server's grammar. Never fails: what is no token is one of its own kind.

import { KEYWORDS, TERMINALS } from './language.gen'
import { quoted } from './quoted'

export type TokenKind =
  | 'logic'
  | 'function'
  | 'keyword'
  | 'annotation'
  | 'operator'
  | 'text'
  | 'number'
  | 'value'
  | 'punctuation'
  | 'unknown'

export interface Token {
  kind: TokenKind
  from: number
  to: number
  text: string
}

const PATTERNS = TERMINALS.map(([name, source, flags]) => ({
  name,
  pattern: new RegExp(source, `${flags}y`),
}))
const VALUES = new Set(['STRING', 'NUMBER', 'WORD'])
const OPEN_TEXT = /"([^"\\]|\\.)*$/y
const SPACE = /\s+/y

const KINDS: Record<string, TokenKind> = {
  _AND: 'logic',
  _OR: 'logic',
  _NOT: 'logic',
  _IN: 'logic',
  _EXISTS: 'logic',
  BANG: 'logic',
  _SERVICE: 'function',
  _EDGE: 'function',
  _ID: 'function',
  ID_MEMBER: 'keyword',
  ROOT_CAUSE: 'function',
  _ROOT_CAUSE_JSON: 'function',
  ANNOTATION: 'annotation',
  OPERATOR: 'operator',
  NUMBER: 'number',
  STRING: 'text',
}

export function tokens(text: string): Token[] {
  const found: Token[] = []
  let at = 0
  while (at < text.length) {
    const space = match(SPACE, text, at)
    if (space) {
      at += space.length
      continue
    }
    const token = nextToken(text, at, found.at(-1))
    found.push(token)
    at = token.to
  }
  return found
}

function nextToken(text: string, from: number, before: Token | undefined): Token {
  // As in the server's contextual lexer: behind an operator there are only values.
  const isValue = before?.kind === 'operator'
  for (const { name, pattern } of PATTERNS) {
    if (isValue && !VALUES.has(name)) continue
    if (!isValue && name === 'OPERATOR' && !follows(before)) continue
    const part = match(pattern, text, from)
    if (part) return { kind: kindOf(name, part, isValue), from, to: from + part.length, text: part }
  }
  const open = match(OPEN_TEXT, text, from)
  if (open) return { kind: 'text', from, to: from + open.length, text: open }
  return { kind: 'unknown', from, to: from + 1, text: text.charAt(from) }
}

function follows(before: Token | undefined): boolean {
  return (
    before?.kind === 'keyword' ||
    before?.kind === 'annotation' ||
    before?.kind === 'unknown' ||
    before?.kind === 'function'
  )
}

function kindOf(name: string, text: string, isValue: boolean): TokenKind {
  const known = KINDS[name]
  if (known) return known
  if (name === 'WORD') {
    if (isValue) return 'value'
    return text.toLowerCase() in KEYWORDS ? 'keyword' : 'unknown'
  }
  return 'punctuation'
}

function match(pattern: RegExp, text: string, at: number): string {
  pattern.lastIndex = at
  return pattern.exec(text)?.[0] ?? ''
}

/** An expression that both hold for; an OR inside one of them is put in parentheses. */
export function both(one: string, other: string): string {
  const [first, second] = [one.trim(), other.trim()]
  if (!first) return second
  if (!second || first === second) return first
  return `${grouped(first)} AND ${grouped(second)}`
}

function grouped(expression: string): string {
  let depth = 0
  for (const { kind, text } of tokens(expression)) {
    if (text === '(' || text === '{') depth++
    if (text === ')' || text === '}') depth--
    if (depth === 0 && kind === 'logic' && text.toLowerCase() === 'or') return `(${expression})`
  }
  return expression
}

/** Which node an expression means, as exactly as its name, type and account do. */
export function selector({ name, type, account }: { name: string; type: string; account: string }): string {
  const parts = [`name: ${quoted(name)}`]
  if (type) parts.push(`type: ${quoted(type)}`)
  if (account) parts.push(`account.id: ${quoted(account)}`)
  return `id(${parts.join(', ')})`
}
