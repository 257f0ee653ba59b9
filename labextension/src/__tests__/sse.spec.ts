import { EventStreamParser } from '../sse';

describe('EventStreamParser', () => {
  const stream =
    ': keepalive\n\nid: 1\nevent: line\ndata: {"a":1}\n\nid: 2\r\nevent: line\r\ndata: x\r\ndata: y\r\n\r\nevent: end\ndata: {}\n\n';

  it('reads events with ids, several data lines and comments', () => {
    expect(new EventStreamParser().push(stream)).toEqual([
      { id: '1', event: 'line', data: '{"a":1}' },
      { id: '2', event: 'line', data: 'x\ny' },
      { id: '2', event: 'end', data: '{}' }
    ]);
  });

  it('gives the same events wherever the stream is cut', () => {
    const whole = new EventStreamParser().push(stream);
    for (let size = 1; size < 9; size++) {
      const parser = new EventStreamParser();
      const events = [];
      for (let i = 0; i < stream.length; i += size) {
        events.push(...parser.push(stream.slice(i, i + size)));
      }
      expect(events).toEqual(whole);
    }
  });
});
