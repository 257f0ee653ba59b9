import * as React from 'react';

import { FILTERS, SORTS, passes } from '../listchoice';
import type { IListChoice, ListFilter, ListSort } from '../listchoice';
import type { IImage } from '../tokens';
import { useView } from './context';

/**
 * What narrows and orders a list of images: words of a name, a state, an order.
 */
export function ListTools(props: {
  images: ReadonlyArray<IImage>;
  query: string;
  choice: IListChoice;
  onQuery: (query: string) => void;
  onChoice: (changes: Partial<IListChoice>) => void;
  /** Go down into the list. */
  onDown: () => void;
}): JSX.Element {
  const { trans } = useView();
  const { images, query, choice } = props;
  const filters: Record<ListFilter, string> = {
    all: trans.__('All states'),
    ready: trans.__('Ready to use'),
    used: trans.__('In use'),
    problems: trans.__('With problems')
  };
  const sorts: Record<ListSort, string> = {
    newest: trans.__('By date'),
    name: trans.__('By name'),
    size: trans.__('By size')
  };
  return (
    <div className="jp-ImageManager-filter">
      <input
        type="search"
        className="jp-ImageManager-input"
        value={query}
        placeholder={trans.__('Search %1 images', images.length)}
        aria-label={trans.__('Search images')}
        onChange={event => props.onQuery(event.target.value)}
        onKeyDown={event => {
          if (event.key === 'ArrowDown') {
            props.onDown();
            event.preventDefault();
          } else if (event.key === 'Escape' && query) {
            props.onQuery('');
            event.stopPropagation();
          }
        }}
      />
      <select
        className="jp-ImageManager-input"
        aria-label={trans.__('Show')}
        value={choice.filter}
        data-chosen={choice.filter !== 'all' || undefined}
        onChange={event =>
          props.onChoice({ filter: event.target.value as ListFilter })
        }
      >
        {FILTERS.map(filter => (
          <option key={filter} value={filter}>
            {filter === 'all'
              ? filters.all
              : `${filters[filter]} (${images.filter(image => passes(image, filter)).length})`}
          </option>
        ))}
      </select>
      <select
        className="jp-ImageManager-input"
        aria-label={trans.__('Order')}
        value={choice.sort}
        onChange={event =>
          props.onChoice({ sort: event.target.value as ListSort })
        }
      >
        {SORTS.map(sort => (
          <option key={sort} value={sort}>
            {sorts[sort]}
          </option>
        ))}
      </select>
    </div>
  );
}
