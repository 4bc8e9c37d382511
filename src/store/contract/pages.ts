export interface Page {
  /** 1-based. */
  page: number
  perPage: number
}

export interface PageOf<T> {
  items: T[]
  total: number
}
