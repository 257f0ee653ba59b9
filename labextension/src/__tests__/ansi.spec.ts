import { parseAnsi, plainText } from '../ansi';

describe('parseAnsi', () => {
  it('splits text by colour and weight', () => {
    expect(parseAnsi('a \x1b[1;31mred\x1b[0m b')).toEqual([
      { text: 'a ', style: '' },
      { text: 'red', style: 'fg-1 bold' },
      { text: ' b', style: '' }
    ]);
  });

  it('maps bright and 256 colours, and skips true colour', () => {
    expect(parseAnsi('\x1b[91mx')[0].style).toBe('fg-1');
    expect(parseAnsi('\x1b[38;5;10mx')[0].style).toBe('fg-2');
    expect(parseAnsi('\x1b[38;2;1;2;3mx')[0].style).toBe('');
    expect(parseAnsi('\x1b[44mx')[0].style).toBe('bg-4');
  });

  it('drops everything else that could act on a terminal', () => {
    const evil = [
      '\x1b]0;title\x07',
      '\x1b]52;c;cm0gLXJm\x07',
      '\x1b]8;;https://evil.example\x1b\\',
      '\x1b[2J\x1b[H',
      '\x1bPdevice\x1b\\',
      '\x07\x08',
      '\x1b]unfinished'
    ];
    for (const sequence of evil) {
      expect(plainText(`a${sequence}`)).toBe('a');
    }
  });

  it('leaves markup as the text that it is', () => {
    expect(plainText('<img src=x onerror=alert(1)>')).toBe(
      '<img src=x onerror=alert(1)>'
    );
  });

  it('lets text after a carriage return replace the line', () => {
    expect(plainText('10%\r50%\r100%')).toBe('100%');
    expect(plainText('done\r')).toBe('done');
  });
});
