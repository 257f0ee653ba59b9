import { importsOf, needsOf } from '../imports';
import { alternativesOf } from '../modules';

describe('the imports of a cell', () => {
  it.each([
    ['import numpy as np, scipy.stats', ['numpy', 'scipy.stats']],
    ['from google.cloud import storage as s', ['google.cloud.storage']],
    [
      'from PIL import (\n  Image,\n  ImageDraw,\n)',
      ['PIL.Image', 'PIL.ImageDraw']
    ],
    ['from torch import *', ['torch']],
    ['from . import mine\nfrom .a import b', []],
    ['import a, \\\n  b', ['a', 'b']],
    ['x = 1; import yaml', ['yaml']],
    ['try: import ujson\nexcept ImportError: import json', ['ujson', 'json']],
    ['def f():\n    import polars', ['polars']],
    ['# import a\ns = "import b"\nt = """\nimport c\n"""', []],
    ['%matplotlib inline\n!pip install d\nimport e', ['e']],
    ['%%bash\nimport f', []],
    ['%%time\nimport g', ['g']],
    ['important = 1\nprint(important)', []],
    ['import h # import i', ['h']]
  ])('%j', (source, modules) => {
    expect(importsOf(source).sort()).toEqual([...modules].sort());
  });
});

describe('what a notebook needs', () => {
  const packages = [
    { name: 'numpy', version: '2.0' },
    { name: 'opencv-contrib-python', version: '4.9' },
    { name: 'Pillow', version: '11.0' }
  ];

  it('is told by package, missing ones first, without the standard library and own files', () => {
    const modules = [
      'os.path',
      'numpy.random',
      'numpy',
      'cv2',
      'PIL.Image',
      'sklearn.linear_model',
      'helpers.plot',
      'obscure_thing'
    ];
    const needs = needsOf(modules, ['helpers.py'], packages);
    expect(
      needs.map(each => [each.module, each.distribution, each.version])
    ).toEqual([
      ['obscure_thing', 'obscure-thing', null],
      ['sklearn', 'scikit-learn', null],
      ['numpy', 'numpy', '2.0'],
      ['cv2', 'opencv-python-headless', '4.9'],
      ['PIL', 'Pillow', '11.0']
    ]);
    expect(needs[0].known).toBe(false);
  });

  it('is there too where another package brings the module', () => {
    expect(alternativesOf('Opencv_Python')).toContain('opencv-python-headless');
    expect(alternativesOf('numpy')).toEqual([]);
  });
});
