// The editor of the filter bar: colours, completion, the place of an error, history. Loaded when someone begins to write.

import {
  acceptCompletion,
  autocompletion,
  closeBrackets,
  closeBracketsKeymap,
  closeCompletion,
  completionKeymap,
  completionStatus,
  currentCompletions,
  selectedCompletion,
  setSelectedCompletion,
  startCompletion,
  type Completion,
  type CompletionContext,
  type CompletionResult,
} from '@codemirror/autocomplete'
import { defaultKeymap, history, historyKeymap, insertNewline } from '@codemirror/commands'
import { setDiagnostics } from '@codemirror/lint'
import { EditorState, Prec, type Extension } from '@codemirror/state'
import {
  Decoration,
  EditorView,
  keymap,
  placeholder,
  tooltips,
  ViewPlugin,
  type DecorationSet,
  type ViewUpdate,
} from '@codemirror/view'
import { useEffect, useLayoutEffect, useRef } from 'react'
import { optionsAt, type LoadValues } from './options'
import { olderFilter, newerFilter } from './recent'
import { PLACEHOLDER } from './placeholder'
import { tokens } from './tokens'
import '../styles/filterEditor.css'

export interface FilterProblem {
  message: string
  /** Characters from 0. */
  position: number
}

export interface EditorProps {
  value: string
  /** What is selected where writing goes on at once; null for nowhere. */
  selection: readonly [number, number] | null
  /** Whether the text is not the one that is applied. */
  isNew: boolean
  problem: FilterProblem | null
  loadValues: LoadValues
  onChange(text: string): void
  onRun(text: string): void
}

export default function FilterEditor(props: EditorProps) {
  const { value, problem } = props
  const place = useRef<HTMLDivElement>(null)
  const view = useRef<EditorView | null>(null)
  const latest = useRef(props)
  latest.current = props

  useEffect(() => {
    const editor = new EditorView({
      parent: place.current as HTMLDivElement,
      state: EditorState.create({ doc: latest.current.value, extensions: extensions(latest) }),
    })
    view.current = editor
    const { selection } = latest.current
    if (selection) {
      const [anchor, head] = selection.map((at) => Math.min(at, editor.state.doc.length)) as [number, number]
      editor.dispatch({ selection: { anchor, head } })
      editor.focus()
      // What was typed before the editor came is completed as what is typed into it.
      if (latest.current.isNew) startCompletion(editor)
    }
    return () => editor.destroy()
  }, [])

  // Before the next key: an echo of what was written a key ago would take that key back.
  useLayoutEffect(() => {
    const editor = view.current
    if (editor && editor.state.doc.toString() !== value) replaceText(editor, value)
  }, [value])

  useEffect(() => {
    const editor = view.current
    if (!editor) return
    const found = problem ? [diagnostic(editor.state.doc.toString(), problem)] : []
    editor.dispatch(setDiagnostics(editor.state, found))
  }, [problem])

  return <div className="filter-editor" ref={place} />
}

function extensions(latest: { current: EditorProps }): Extension[] {
  const run = (editor: EditorView) => {
    latest.current.onRun(editor.state.doc.toString())
    return true
  }
  const recall = (find: (text: string) => string | null) => (editor: EditorView) => {
    const found = find(editor.state.doc.toString())
    if (found !== null) replaceText(editor, found)
    return true
  }
  return [
    history(),
    closeBrackets(),
    autocompletion({
      override: [(context) => complete(context, latest.current.loadValues)],
      icons: false,
      activateOnTyping: true,
      // What a key does must not depend on when the list came.
      selectOnOpen: false,
      interactionDelay: 0,
    }),
    writingDropsTheChoice,
    acceptOnTab(),
    tooltips({ position: 'fixed' }),
    Prec.high(
      keymap.of([
        { key: 'Enter', run: (editor) => acceptMore(editor) || run(editor) },
        { key: 'Shift-Enter', run: insertNewline },
        { key: 'Alt-ArrowUp', run: recall(olderFilter) },
        { key: 'Alt-ArrowDown', run: recall(newerFilter) },
      ]),
    ),
    keymap.of([...closeBracketsKeymap, ...completionKeymap, ...historyKeymap, ...defaultKeymap]),
    placeholder(PLACEHOLDER),
    EditorView.lineWrapping,
    EditorView.contentAttributes.of({ 'aria-label': 'Filter', spellcheck: 'false' }),
    EditorView.updateListener.of((update) => {
      if (update.docChanged) latest.current.onChange(update.state.doc.toString())
    }),
    highlighting,
  ]
}

/** Takes the completion that was chosen by arrow keys, unless it is written already. */
function acceptMore(editor: EditorView): boolean {
  const chosen = selectedCompletion(editor.state)
  if (!chosen || isWritten(editor, chosen)) {
    closeCompletion(editor)
    return false
  }
  return acceptCompletion(editor)
}

/** Tab takes the chosen completion or the first, also of a list that is still on its way. */
function acceptOnTab(): Extension {
  let isWaiting = false
  const press = (editor: EditorView) => {
    isWaiting = completionStatus(editor.state) === 'pending'
    return isWaiting || acceptFirst(editor)
  }
  const watch = ({ view, docChanged, selectionSet, focusChanged }: ViewUpdate) => {
    if (docChanged || selectionSet || focusChanged) isWaiting = false
    if (!isWaiting || completionStatus(view.state) === 'pending') return
    isWaiting = false
    acceptFirst(view)
  }
  return [Prec.high(keymap.of([{ key: 'Tab', run: press }])), EditorView.updateListener.of(watch)]
}

function acceptFirst(editor: EditorView): boolean {
  const [first] = currentCompletions(editor.state)
  if (!selectedCompletion(editor.state) && first && !isWritten(editor, first)) {
    editor.dispatch({ effects: setSelectedCompletion(0) })
  }
  return acceptMore(editor)
}

function isWritten(editor: EditorView, { label }: Completion): boolean {
  const before = editor.state.sliceDoc(0, editor.state.selection.main.head)
  return before.toLowerCase().endsWith(label.toLowerCase())
}

/** Whether the list for the new text has it again depends on when that comes. */
const writingDropsTheChoice = EditorState.transactionExtender.of(({ docChanged }) =>
  docChanged ? { effects: setSelectedCompletion(-1) } : null,
)

function replaceText(editor: EditorView, text: string): void {
  editor.dispatch({
    changes: { from: 0, to: editor.state.doc.length, insert: text },
    selection: { anchor: text.length },
  })
}

/** The word at the position, or the end of the text. */
function diagnostic(text: string, { message, position }: FilterProblem) {
  const at = Math.min(position, text.length)
  const token = tokens(text).find(({ from, to }) => from <= at && at < to)
  const from = token?.from ?? Math.max(0, Math.min(at, text.length - 1))
  return { from, to: token?.to ?? text.length, severity: 'error' as const, message }
}

async function complete(context: CompletionContext, load: LoadValues): Promise<CompletionResult | null> {
  const text = context.state.doc.toString()
  const found = await optionsAt(text, context.pos, load)
  if (!found || (found.options.length === 0 && !context.explicit)) return null
  return found
}

const marks = new Map<string, Decoration>()

function mark(kind: string): Decoration {
  const known = marks.get(kind) ?? Decoration.mark({ class: `token-${kind}` })
  marks.set(kind, known)
  return known
}

function decorated(view: EditorView): DecorationSet {
  const found = tokens(view.state.doc.toString())
  return Decoration.set(found.map(({ kind, from, to }) => mark(kind).range(from, to)))
}

const highlighting = ViewPlugin.fromClass(
  class {
    decorations: DecorationSet
    constructor(view: EditorView) {
      this.decorations = decorated(view)
    }
    update(update: ViewUpdate) {
      if (update.docChanged) this.decorations = decorated(update.view)
    }
  },
  { decorations: (plugin) => plugin.decorations },
)
