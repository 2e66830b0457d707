import { describe, expect, it } from 'vitest'
import { annotationTerm, narrowed, textTerm } from './terms'

describe('a value of a trace', () => {
  it('is a term where a filter has a keyword for it', () => {
    expect(textTerm('user', 'o"neill')).toBe('user = "o\\"neill"')
    expect(textTerm('request.url', 'https://shop.example/a')).toBe('http.url = "https://shop.example/a"')
    expect(textTerm('request.client_ip', '203.0.113.9')).toBe('http.clientip = "203.0.113.9"')
    expect(textTerm('response.status', '502')).toBe('http.status = 502')
    expect(textTerm('response.content_length', '12')).toBeNull()
    expect(textTerm('user', '')).toBeNull()
  })

  it('keeps the type that an annotation has', () => {
    expect(annotationTerm('tenant', 'acme')).toBe('annotation.tenant = "acme"')
    expect(annotationTerm('items', 4)).toBe('annotation.items = 4')
    expect(annotationTerm('gift', true)).toBe('annotation.gift = true')
    expect(annotationTerm('deployment.environment', 'prod')).toBe(
      'annotation.deployment.environment = "prod"',
    )
    expect(annotationTerm('a key', 'x')).toBe('annotation[a key] = "x"')
    expect(annotationTerm('tenant', null)).toBeNull()
  })

  it('is added to the filter that there is', () => {
    expect(narrowed(null, 'user = "ada"', true)).toBe('user = "ada"')
    expect(narrowed('', 'user = "ada"', false)).toBe('!(user = "ada")')
    expect(narrowed('fault', 'user = "ada"', true)).toBe('fault AND user = "ada"')
    expect(narrowed('fault OR error', 'user = "ada"', false)).toBe('(fault OR error) AND !(user = "ada")')
  })
})
