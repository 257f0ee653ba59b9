import {
  canonicalName,
  distributionOf,
  isDistribution,
  missingName
} from '../modules';

describe('missingName', () => {
  it.each([
    ["No module named 'cv2'", 'cv2'],
    ["No module named 'google.cloud'", 'google.cloud'],
    ["No module named 'a'; 'a' is not a package", null],
    ["cannot import name 'x' from 'y'", null],
    ["No module named 'x; rm -rf /'", null],
    ["No module named '<img src=x onerror=alert(1)>'", null],
    ["No module named 'a\nRUN id'", null],
    ["No module named '--index-url=http://x'", null],
    [`No module named '${'a'.repeat(200)}'`, null]
  ])('%j', (message, name) => {
    expect(missingName('ModuleNotFoundError', message)).toBe(name);
    expect(missingName('ImportError', message)).toBeNull();
  });
});

describe('distributionOf', () => {
  it.each([
    ['cv2', 'opencv-python-headless'],
    ['sklearn', 'scikit-learn'],
    ['sklearn.linear_model', 'scikit-learn'],
    ['yaml', 'PyYAML'],
    ['dateutil', 'python-dateutil'],
    ['PIL', 'Pillow'],
    ['google.cloud.storage', 'google-cloud-storage'],
    ['google.protobuf.message', 'protobuf'],
    ['numpy', 'numpy'],
    ['huggingface_hub', 'huggingface-hub']
  ])('%s: %s', (module, distribution) => {
    expect(distributionOf(module)).toEqual({
      module: module.split('.')[0],
      distribution,
      known: true
    });
  });

  it('says when it only guesses', () => {
    expect(distributionOf('some_thing.part')).toEqual({
      module: 'some_thing',
      distribution: 'some-thing',
      known: false
    });
  });

  it.each([
    'os',
    'tkinter',
    'distutils.core',
    '_ctypes',
    '__main__',
    'tomllib'
  ])('offers nothing for %s of the standard library', module =>
    expect(distributionOf(module)).toBeNull()
  );

  it('offers nothing for what lies beside the notebook', () => {
    const own = ['helpers.py', 'mine', 'yaml.csv', 'fast.cpython-311.so'];
    expect(distributionOf('helpers', own)).toBeNull();
    expect(distributionOf('mine.part', own)).toBeNull();
    expect(distributionOf('fast', own)).toBeNull();
    expect(distributionOf('yaml', own)).not.toBeNull();
  });

  it.each(['', 'a b', 'a;b', '$(id)', "a'b", 'a\nb', '-r', '../x', 'á'])(
    'refuses %j',
    module => expect(distributionOf(module)).toBeNull()
  );
});

it('knows a package when a person types one', () => {
  for (const text of ['PyYAML', 'a', 'dask[array]>=2,<3', 'numpy==1.26.4']) {
    expect(isDistribution(text)).toBe(true);
  }
  for (const text of ['', '-x', 'a b', 'a;b', "a'", 'a @ http://x', '<b>']) {
    expect(isDistribution(text)).toBe(false);
  }
  expect(canonicalName('Flask_Cors[x]>=2')).toBe('flask-cors');
});
