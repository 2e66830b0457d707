// Pages that are opened rarely, and what is no page: a chunk that leads to theirs.

import type { Route } from '../model/url'
import { lazily } from './lazily'

const ComparePage = lazily('page', () => import('./ComparePage').then((part) => part.ComparePage))
const DeclaredPage = lazily('page', () => import('./DeclaredPage').then((part) => part.DeclaredPage))
const NotebookPage = lazily('notebook', () => import('./NotebookPage').then((part) => part.NotebookPage))
const NotebooksPage = lazily('page', () => import('./NotebooksPage').then((part) => part.NotebooksPage))
const NotFound = lazily('page', () => import('./NotFound').then((part) => part.NotFound))
const SharesPage = lazily('page', () => import('./SharesPage').then((part) => part.SharesPage))

type Other = Extract<Route, { page: 'compare' | 'declared' | 'notebooks' | 'shares' | 'unknown' }>

export function OtherPage({ route }: { route: Other }) {
  switch (route.page) {
    case 'compare':
      return <ComparePage />
    case 'declared':
      return <DeclaredPage />
    case 'notebooks':
      return route.id ? <NotebookPage key={route.id} id={route.id} /> : <NotebooksPage />
    case 'shares':
      return <SharesPage />
    case 'unknown':
      return <NotFound what={`the page ${route.path}`} />
  }
}
