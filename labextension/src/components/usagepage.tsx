import * as React from 'react';

import { formatSize, language } from '../format';
import { StorageAPI } from '../storageapi';
import { dayTotals } from '../usagedays';
import { useAsked } from './asked';
import { useView } from './context';

const WIDTH = 600;
const HEIGHT = 120;

/**
 * What the project's images hold where, and what a month of it costs.
 */
export function UsagePage({ project }: { project: string }): JSX.Element {
  const { manager, trans } = useView();
  const api = React.useMemo(() => new StorageAPI(manager.api), [manager.api]);
  const { value, problem } = useAsked(
    () => Promise.all([api.report({ project }), api.history({ project })]),
    [api, project]
  );
  if (!value) {
    return (
      <div className="jp-ImageManager-usagePage">
        {problem ? (
          <div
            className="jp-ImageManager-banner"
            data-tone="error"
            role="alert"
          >
            {problem}
          </div>
        ) : (
          <p role="status">{trans.__('Asking the server…')}</p>
        )}
      </div>
    );
  }
  const [report, days] = value;
  const { deletable } = report;
  const number = (amount: number) =>
    amount.toLocaleString(language(), { maximumFractionDigits: 2 });
  const storages: Record<string, string> = {
    registry: trans.__('Registry'),
    optimized: trans.__('Kept here'),
    cached: trans.__('Cached here')
  };
  return (
    <div className="jp-ImageManager-usagePage">
      <h1>{trans.__('What images take in %1', report.month)}</h1>
      {report.warnings.map(warning => (
        <div key={warning} className="jp-ImageManager-banner" data-tone="warn">
          {warning}
        </div>
      ))}
      {deletable && (
        <p>
          {trans._n(
            'Deleting this one frees %2: %3',
            'Deleting these %1 frees %2: %3',
            deletable.specs.length,
            formatSize(deletable.frees),
            deletable.specs.join(', ')
          )}
        </p>
      )}
      <DayChart days={dayTotals(days)} />
      <div className="jp-ImageManager-wide">
        <table className="jp-ImageManager-table">
          <thead>
            <tr>
              <th scope="col">{trans.__('Image')}</th>
              <th scope="col">{trans.__('Storage')}</th>
              <th scope="col">{trans.__('Its own')}</th>
              <th scope="col">{trans.__('Shared')}</th>
              <th scope="col">{trans.__('GB-hours')}</th>
              <th scope="col">{trans.__('Cost, %1', report.currency)}</th>
            </tr>
          </thead>
          <tbody>
            {report.images.map(each => (
              <tr key={`${each.image_id} ${each.storage}`}>
                <th scope="row">
                  {each.deleted
                    ? trans.__('%1 (deleted)', each.spec)
                    : each.spec}
                </th>
                <td>{storages[each.storage]}</td>
                <td>{formatSize(each.unique)}</td>
                <td>{formatSize(each.shared)}</td>
                <td>{number(each.gb_hours)}</td>
                <td>{number(each.cost)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </div>
  );
}

function DayChart(props: {
  days: { day: string; bytes: number }[];
}): JSX.Element | null {
  const { trans } = useView();
  const { days } = props;
  const most = Math.max(...days.map(each => each.bytes), 0);
  if (!most) {
    return null;
  }
  const step = WIDTH / days.length;
  return (
    <figure className="jp-ImageManager-chart">
      <figcaption>
        {trans.__(
          'What was held day by day, at most %1; the numbers are below',
          formatSize(most)
        )}
      </figcaption>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} aria-hidden="true">
        {days.map(({ day, bytes }, index) => (
          <rect
            key={day}
            x={index * step + 1}
            y={HEIGHT - (bytes / most) * HEIGHT}
            width={Math.max(1, Math.min(step - 2, 24))}
            height={(bytes / most) * HEIGHT}
          >
            <title>{`${day}: ${formatSize(bytes)}`}</title>
          </rect>
        ))}
      </svg>
      <details>
        <summary>{trans.__('Day by day')}</summary>
        <table className="jp-ImageManager-table">
          <tbody>
            {days.map(({ day, bytes }) => (
              <tr key={day}>
                <th scope="row">{day}</th>
                <td>{formatSize(bytes)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </details>
    </figure>
  );
}
