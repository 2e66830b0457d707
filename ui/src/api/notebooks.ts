// The routes of notebooks (docs/console-api.md).

import { ask, send } from './client'
import type { components } from './types.gen'

export type Notebook = components['schemas']['NotebookReply']
export type NotebookLine = components['schemas']['NotebookLine']
export type Notebooks = components['schemas']['NotebookList']
export type NotebookEntry = components['schemas']['NotebookEntryLine']
export type NotebookFigures = components['schemas']['NotebookFigures']

const ALL = '/api/v1/notebooks'
const one = (id: string) => `${ALL}/${encodeURIComponent(id)}`

export const notebookAddresses = {
  all: ALL,
  one,
  /** `pictures`: the entries whose maps are files beside the text. */
  export: (id: string, pictures: readonly string[] = []) =>
    `${one(id)}/export${pictures.length ? `?pictures=${pictures.join(',')}` : ''}`,
} as const

/** What an entry shows. */
export type Subject = { page: string; query: string } | { trace: string } | { problem: string }
/** A new entry; without `at` it is about the time of what it shows, or about now. */
export type NewEntry = Partial<Subject> & { text?: string; at?: number }
/** An entry that is there; what is not said stays. */
export type KnownEntry = { id: string; text: string; at: number }

export function createNotebook(title: string, entries: readonly NewEntry[] = []): Promise<Notebook | null> {
  return send<Notebook>('POST', ALL, { title, entries })
}

export function addEntry(id: string, entry: NewEntry): Promise<Notebook | null> {
  return send<Notebook>('POST', `${one(id)}/entries`, entry)
}

/** Replaces what is known: of what others have changed meanwhile nothing is lost. */
export function replaceNotebook(
  { id, revision }: Pick<Notebook, 'id' | 'revision'>,
  title: string,
  entries: readonly KnownEntry[],
): Promise<Notebook | null> {
  return send<Notebook>('PUT', one(id), { title, revision, entries })
}

export function deleteNotebook({ id, revision }: Pick<Notebook, 'id' | 'revision'>): Promise<unknown> {
  return send('DELETE', `${one(id)}?revision=${revision}`)
}

export async function exported(id: string, pictures?: readonly string[]): Promise<string> {
  return (await ask(notebookAddresses.export(id, pictures), {})).text()
}
