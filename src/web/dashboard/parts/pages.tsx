import type { PageOf } from '../shapes.ts'
import { To, useRouter } from '../router.tsx'
import { count } from '../say.ts'

/** Which page of a list this is, with ways to its neighbours; the number is in the address. */
export function Pages({
  info,
  of,
  many = `${of}s`,
}: {
  info: PageOf<unknown>['pageInfo']
  of: string
  many?: string
}) {
  const { place } = useRouter()
  const { currentPage, lastPage, total } = info
  const to = (page: number) => ({ ...place.query, page: String(page) })
  return (
    <nav className="pager" aria-label={`Pages of ${many}`}>
      <span className="quiet">
        {count(total, of, many)}
        {lastPage > 1 && ` · page ${currentPage} of ${lastPage}`}
      </span>
      {lastPage > 1 && (
        <span className="row">
          {currentPage > 1 && (
            <To className="button" path={place.path} query={to(currentPage - 1)}>
              Newer
            </To>
          )}
          {currentPage < lastPage && (
            <To className="button" path={place.path} query={to(currentPage + 1)}>
              Older
            </To>
          )}
        </span>
      )}
    </nav>
  )
}
