import { QueryClientProvider } from '@tanstack/react-query'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { queryClient } from './api/queryClient'
import { App } from './pages/App'
import { applyTheme, themeChoice } from './styles/theme'
import './styles/tokens.css'
import './styles/base.css'
import './styles/header.css'
import './styles/controls.css'
import './styles/states.css'
import './styles/filter.css'
import './styles/map.css'

applyTheme(themeChoice())
createRoot(document.getElementById('root') as HTMLElement).render(
  <StrictMode>
    <QueryClientProvider client={queryClient}>
      <App />
    </QueryClientProvider>
  </StrictMode>,
)
