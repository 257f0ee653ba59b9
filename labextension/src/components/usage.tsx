import * as React from 'react';

import { formatSize } from '../format';
import type { IUsage } from '../tokens';
import { useView } from './context';
import type { Tone } from './parts';

/** Below this share, and below these bytes, a disk is short. */
const SHORT_SHARE = 0.1;
const SHORT_BYTES = 10e9;
/** From this share of a quota on it is told as nearly used up. */
const NEARLY = 0.9;

/**
 * One thing that can run out.
 */
export interface IMeter {
  id: 'images' | 'bytes' | 'disk';
  /** Share that is used, 0 to 1. */
  share: number;
  tone: Tone;
}

/**
 * What may run out: quotas where they are set, the disk where it is short.
 */
export function metersOf(usage: IUsage): IMeter[] {
  const meters: IMeter[] = [];
  const quota = (id: IMeter['id'], used: number, limit: number | null) => {
    if (limit) {
      const share = Math.min(1, used / limit);
      meters.push({
        id,
        share,
        tone: share >= 1 ? 'error' : share >= NEARLY ? 'warn' : 'busy'
      });
    }
  };
  quota('images', usage.images, usage.max_images);
  quota('bytes', usage.bytes, usage.max_bytes);
  const { disk_free: free, disk_total: total } = usage;
  if (
    free !== null &&
    total &&
    free < SHORT_BYTES &&
    free < total * SHORT_SHARE
  ) {
    meters.push({
      id: 'disk',
      share: 1 - free / total,
      tone: free < SHORT_BYTES / 10 ? 'error' : 'warn'
    });
  }
  return meters;
}

/**
 * What is left of what can run out, at the panel's foot; nothing where nothing can.
 */
export function Usage({ usage }: { usage: IUsage }): JSX.Element | null {
  const { trans } = useView();
  const meters = metersOf(usage);
  if (!meters.length) {
    return null;
  }
  const textOf = (meter: IMeter): string => {
    switch (meter.id) {
      case 'images':
        return trans.__('%1 of %2 images', usage.images, usage.max_images ?? 0);
      case 'bytes':
        return trans.__(
          '%1 of %2',
          formatSize(usage.bytes),
          formatSize(usage.max_bytes ?? 0)
        );
      case 'disk':
        return trans.__(
          '%1 free on the disk of the engine',
          formatSize(usage.disk_free ?? 0)
        );
    }
  };
  const full = meters.find(meter => meter.tone === 'error');
  return (
    <section
      className="jp-ImageManager-usage"
      aria-label={trans.__('Room for images')}
    >
      {meters.map(meter => (
        <div key={meter.id} data-tone={meter.tone}>
          <div className="jp-ImageManager-sub" data-tone={meter.tone}>
            {textOf(meter)}
          </div>
          <div
            className="jp-ImageManager-meter"
            data-tone={meter.tone}
            role="meter"
            aria-label={textOf(meter)}
            aria-valuemin={0}
            aria-valuemax={100}
            aria-valuenow={Math.round(meter.share * 100)}
          >
            <div style={{ width: `${meter.share * 100}%` }} />
          </div>
        </div>
      ))}
      {full && (
        <div className="jp-ImageManager-sub">
          {full.id === 'disk'
            ? trans.__('A build may fail. Delete images that nobody needs.')
            : trans.__('No further image can be built: delete one first.')}
        </div>
      )}
    </section>
  );
}
