import { Component, type ReactNode } from 'react'
import { Problem } from './states.tsx'

/** An error boundary: a screen that fails leaves the rest of the page usable. */
export class Boundary extends Component<{ children: ReactNode }, { failed: boolean }> {
  override state = { failed: false }

  static getDerivedStateFromError(): { failed: boolean } {
    return { failed: true }
  }

  override render(): ReactNode {
    if (!this.state.failed) return this.props.children
    return (
      <Problem
        text="This screen cannot be shown. Reload the page; if it stays so, the server may be of another version."
        retry={() => this.setState({ failed: false })}
      />
    )
  }
}
