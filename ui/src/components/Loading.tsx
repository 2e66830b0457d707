// What stands where an answer is awaited.

/** How a request is announced that takes long: by then a spinner alone looks broken. */
export function slowWords(seconds: number): string {
  return `taking longer than usual (${seconds} s)…`
}

export function Loading({ what, slow }: { what: string; slow: number | null }) {
  return (
    <p className="loading" role="status">
      Loading {what}… {slow !== null && slowWords(slow)}
    </p>
  )
}
